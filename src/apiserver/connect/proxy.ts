/**
 * The proxy subresource of pods, services and nodes: HTTP passed on to an address in the cluster.
 * Source: apimachinery util/proxy, pkg/registry/core/{pod,service,node} ResourceLocation.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Pod, Service } from "../../api/generated/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { ApiError } from "../../machinery/errors.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import type { Egress } from "./egress.ts";
import { endToEndHeaders, exchange, passUpgrade } from "./httpOverConnection.ts";

/** "https:web:8080" → its parts; the name alone has neither. Source: utilnet.SplitSchemeNamePort. */
export function splitSchemeNamePort(id: string): {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
} {
  const parts = id.split(":");
  const [first = "", second = "", third = ""] = parts;
  switch (parts.length) {
    case 1:
      return { scheme: "http", name: first, port: "" };
    case 2:
      return { scheme: "http", name: first, port: second };
    case 3:
      if (first === "http" || first === "https" || first === "")
        return { scheme: first === "" ? "http" : first, name: second, port: third };
      break;
    default:
      break;
  }
  throw new ApiError("BadRequest", `invalid pod request "${id}"`);
}

export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  /** Node whose kubelet it is: reached as the API server reaches it for everything else. */
  readonly kubeletOf?: string;
}

const connectionTo = ({ host, port, kubeletOf }: ProxyAddress, egress: Egress): Promise<Duplex> =>
  kubeletOf === undefined ? egress.dial(host, port) : egress.kubelet(kubeletOf);

/** @throws ApiError BadRequest while the pod has no address */
export function podAddress(pod: Pod, port: string): ProxyAddress {
  const host = pod.status.podIP;
  if (host === undefined || host === "") throw new ApiError("BadRequest", `address not allowed`);
  const byDefault = pod.spec.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort;
  const number = port === "" ? (byDefault ?? 80) : portNumber(pod, port);
  return { host, port: number };
}

function portNumber(pod: Pod, port: string): number {
  if (/^\d+$/.test(port)) return Number(port);
  const named = pod.spec.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === port);
  if (named === undefined) throw new ApiError("BadRequest", `invalid port "${port}"`);
  return named.containerPort;
}

/** A ready endpoint of the service, drawn by `pick` (0 to below). @throws ApiError ServiceUnavailable */
export function serviceAddress(
  service: Service,
  slices: readonly EndpointSlice[],
  port: string,
  pick: (below: number) => number,
): ProxyAddress {
  const name = service.metadata.name;
  const servicePort = (service.spec.ports ?? []).find(
    (candidate) => port === "" || candidate.name === port || `${candidate.port}` === port,
  );
  if (servicePort === undefined)
    throw new ApiError("ServiceUnavailable", `no service port "${port}" found for service "${name}"`);
  const addresses = slices.flatMap(({ endpoints, ports }) => {
    const target = (ports ?? []).find((candidate) => (candidate.name ?? "") === (servicePort.name ?? ""))?.port;
    if (target === undefined) return [];
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses: hosts }) => hosts.map((host) => ({ host, port: target })));
  });
  const chosen = addresses[pick(addresses.length)];
  if (chosen === undefined) throw new ApiError("ServiceUnavailable", `no endpoints available for service "${name}"`);
  return chosen;
}

const target = (rest: string, query: URLSearchParams | undefined) => {
  const text = query?.toString() ?? "";
  return `/${rest}${text === "" ? "" : `?${text}`}`;
};

const dialFailed = (address: ProxyAddress) => (cause: unknown) => {
  throw new ApiError(
    "ServiceUnavailable",
    `error trying to reach service: dial tcp ${address.host}:${address.port}: ${(cause as Error).message}`,
    { cause },
  );
};

/** One request passed on; the answer comes back as it is, whatever its status. */
export async function proxyRequest(
  address: ProxyAddress,
  rest: string,
  request: ApiRequest,
  egress: Egress,
): Promise<ApiResponse> {
  const connection = await connectionTo(address, egress).catch(dialFailed(address));
  const { authorization: _, host: __, "content-length": ___, ...headers } = endToEndHeaders(request.headers ?? {});
  const answer = await exchange(connection, {
    method: request.method,
    path: target(rest, request.query),
    headers: { ...headers, host: `${address.host}:${address.port}` },
    ...(request.body !== undefined && { body: bytesOf(request.body) }),
    ...(request.signal !== undefined && { signal: request.signal }),
  }).catch(dialFailed(address));
  const { "content-type": contentType = "", ...others } = endToEndHeaders(answer.headers);
  return { type: "stream", status: answer.statusCode ?? 502, contentType, headers: others, stream: answer };
}

const bytesOf = (body: Uint8Array | object): Uint8Array =>
  body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));

/** An upgrade (such as a WebSocket) through the proxy. */
export async function proxyUpgrade(
  address: ProxyAddress,
  rest: string,
  egress: Egress,
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  const query = new URL(request.url ?? "/", "http://localhost").searchParams;
  passUpgrade(
    request,
    socket,
    head,
    await connectionTo(address, egress).catch(dialFailed(address)),
    target(rest, query),
  );
}
