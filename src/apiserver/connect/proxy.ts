/**
 * The proxy subresource of pods, services and nodes: HTTP passed on to an address in the cluster.
 * Source: apimachinery util/proxy, pkg/registry/core/{pod,service,node} ResourceLocation.
 */
import { BlockList, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Pod, Service } from "../../api/generated/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { ApiError } from "../../machinery/errors.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import { answerBelow } from "./answerBelow.ts";
import type { Egress } from "./egress.ts";
import { endToEndHeaders, exchange, isPrivateHeader, passUpgrade, type Upgrade } from "./httpOverConnection.ts";
import { splitProxyPath } from "./proxyPath.ts";

/** "https:web:8080" → its parts; the name alone has neither. Source: utilnet.SplitSchemeNamePort. */
export function splitSchemeNamePort(
  id: string,
  kind: string,
): {
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
  throw new ApiError("BadRequest", `invalid ${kind} request "${id}"`);
}

export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  /** Node whose kubelet it is: reached as the API server reaches it for everything else. */
  readonly kubeletOf?: string;
  /** Whose certificate is not looked at, as upstream does not. */
  readonly isTls?: boolean;
}

async function connectionTo({ host, port, kubeletOf, isTls }: ProxyAddress, egress: Egress): Promise<Duplex> {
  const connection = await (kubeletOf === undefined ? egress.dial(host, port) : egress.kubelet(kubeletOf));
  return isTls === true ? secured(connection) : connection;
}

const secured = (socket: Duplex): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const connection = connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
    connection.once("secureConnect", () => resolve(connection));
    connection.once("error", reject);
  });

/** What is no pod's, and would reach something else from where we dial. Source: Go's net.IP.IsGlobalUnicast, negated. */
const notForPods = new BlockList();
for (const [network, bits, family] of [
  ["0.0.0.0", 32, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["224.0.0.0", 4, "ipv4"],
  ["255.255.255.255", 32, "ipv4"],
  ["::", 127, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
] as const)
  notForPods.addSubnet(network, bits, family);

const isForPods = (address: string): boolean =>
  isIP(address) !== 0 && !notForPods.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");

/** @throws ApiError BadRequest while the pod has no address */
export function podAddress(pod: Pod, port: string): ProxyAddress {
  const host = pod.status.podIP;
  if (host === undefined || !isForPods(host)) throw new ApiError("BadRequest", `address not allowed`);
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

/** @throws ApiError ServiceUnavailable */
function portNameOf({ metadata, spec }: Service, port: number): string {
  const found = (spec.ports ?? []).find((candidate) => candidate.port === port);
  if (found === undefined)
    throw new ApiError("ServiceUnavailable", `no service port ${port} found for service "${metadata.name}"`);
  return found.name ?? "";
}

/** Without a port only the one without a name is meant. A ready endpoint of the service, drawn by `pick` (0 to below). @throws ApiError ServiceUnavailable */
export function serviceAddress(
  service: Service,
  slices: readonly EndpointSlice[],
  port: string,
  pick: (below: number) => number,
): ProxyAddress {
  const name = service.metadata.name;
  const portName = /^\d+$/.test(port) ? portNameOf(service, Number(port)) : port;
  const addresses = slices.flatMap(({ endpoints, ports }) => {
    const target = (ports ?? []).find((candidate) => (candidate.name ?? "") === portName)?.port;
    if (target === undefined) return [];
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses: hosts }) => hosts.map((host) => ({ host, port: target })));
  });
  const chosen = addresses[pick(addresses.length)];
  if (chosen === undefined) throw new ApiError("ServiceUnavailable", `no endpoints available for service "${name}"`);
  return chosen;
}

/** What is asked of the one behind: the path, and the query as the client wrote it. */
const target = (rest: string, query: string | undefined) =>
  `${rest === "" ? "/" : rest}${query === undefined || query === "" ? "" : `?${query}`}`;

const unreached = (what: string) => (cause: unknown) => {
  const message = `error trying to reach service: ${what}${(cause as Error).message}`;
  throw new ApiError("ServiceUnavailable", message, { cause });
};
const dialFailed = (address: ProxyAddress) => unreached(`dial tcp ${authorityOf(address)}: `);

/** So that relative links of the page at the root lead below it. Source: proxy.go, proxyRedirectsforRootPath. */
const redirectToRoot = (request: ApiRequest): ApiResponse => ({
  type: "bytes",
  status: 301,
  contentType: "text/plain",
  headers: { location: target(`${request.path}/`, queryOf(request)) },
  bytes: new Uint8Array(),
});

const queryOf = ({ rawQuery, query }: ApiRequest): string | undefined => rawQuery ?? query?.toString();

/** One request passed on as it comes; the answer comes back as it is, whatever its status, but for links in pages. */
export async function proxyRequest(address: ProxyAddress, request: ApiRequest, egress: Egress): Promise<ApiResponse> {
  const { proxyPath, rest } = splitProxyPath(request.path);
  if (rest === "" && (request.method === "GET" || request.method === "HEAD")) return redirectToRoot(request);
  const { body, bodyStream, signal } = request;
  const headers = headersFor(request, address);
  const connection = await connectionTo(address, egress).catch(dialFailed(address));
  const answer = await exchange(connection, {
    method: request.method,
    path: target(rest, queryOf(request)),
    headers,
    ...(bodyStream !== undefined ? { bodyStream } : body !== undefined && { body: bytesOf(body) }),
    ...(signal !== undefined && { signal }),
  }).catch(unreached(""));
  return answerBelow({ proxyPath, hosts: [authorityOf(address), headers.host as string] }, request.method, answer);
}

const authorityOf = ({ host, port }: ProxyAddress): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** Source: net/http/httputil ReverseProxy, and transport.go, RoundTrip. */
function headersFor(request: ApiRequest, address: ProxyAddress): Record<string, string> {
  const { headers = {}, path, remoteAddress, bodyStream } = request;
  const passed = Object.entries(endToEndHeaders(headers)).filter(
    ([name]) => !isPrivateHeader(name) && name !== "expect" && (name !== "content-length" || bodyStream !== undefined),
  );
  const forwarded = [headers["x-forwarded-for"], remoteAddress].filter((one) => one !== undefined).join(", ");
  return {
    ...Object.fromEntries(passed),
    host: headers.host ?? headers[":authority"] ?? authorityOf(address),
    ...(forwarded !== "" && { "x-forwarded-for": forwarded }),
    "x-forwarded-uri": path,
  };
}

const bytesOf = (body: Uint8Array | object): Uint8Array =>
  body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));

/** An upgrade (such as a WebSocket) through the proxy. */
export async function proxyUpgrade(address: ProxyAddress, egress: Egress, upgrade: Upgrade): Promise<void> {
  const { url = "/", headers, socket } = upgrade.request;
  const mark = url.indexOf("?");
  const { rest } = splitProxyPath(mark < 0 ? url : url.slice(0, mark));
  const peer = await connectionTo(address, egress).catch(dialFailed(address));
  const forwarded = [headers["x-forwarded-for"], socket?.remoteAddress].filter((one) => one !== undefined).join(", ");
  passUpgrade(upgrade, peer, {
    path: target(rest, mark < 0 ? undefined : url.slice(mark + 1)),
    headers: {
      Host: headers.host ?? authorityOf(address),
      ...(forwarded !== "" && { "X-Forwarded-For": forwarded }),
    },
  });
}
