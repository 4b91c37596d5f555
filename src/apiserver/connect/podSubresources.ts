/** The subresources that reach into the cluster, as the router knows them. */
import type { Pod, Service } from "../../api/generated/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { ApiError, notFound } from "../../machinery/errors.ts";
import type { ResourceRequest, Server as WholeServer } from "../context.ts";
import { methodNotAllowed } from "../errors.ts";
import type { RequestInfo } from "../requestInfo.ts";
import type { SubresourceHandler } from "../router.ts";
import { objectKey } from "../store/objectIndex.ts";
import type { Egress } from "./egress.ts";
import { podLog } from "./podLog.ts";
import { type ProxyAddress, podAddress, proxyRequest, serviceAddress, splitSchemeNamePort } from "./proxy.ts";

/** All that is needed of the server here. */
export type Lookup = Pick<WholeServer, "resources" | "env">;

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** An object of a core kind, as the cache has it. @throws ApiError NotFound */
function coreObject<T>({ resources }: Lookup, plural: string, namespace: string | undefined, name: string): T {
  const resource = resources.find("", "v1", plural);
  const object = resource?.store.get(objectKey(namespace, name));
  if (object === undefined) throw notFound({ group: "", resource: plural }, name);
  return object as unknown as T;
}

export const podOf = (server: Lookup, { namespace, name }: RequestInfo): Pod =>
  coreObject(server, "pods", namespace, name);

function slicesOf({ resources }: Lookup, namespace: string, service: string): EndpointSlice[] {
  const slices = resources.find("discovery.k8s.io", "v1", "endpointslices")?.store.cache.list({ namespace }) ?? [];
  return (slices as unknown as readonly EndpointSlice[]).filter(
    ({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL] === service,
  );
}

/** Port of the kubelet's own server. Source: ports.KubeletPort. */
const KUBELET_PORT = 10250;

/** Where `…/{pods,services,nodes}/<name>/proxy/…` leads. @throws ApiError */
export function proxyAddressOf(server: Lookup, info: RequestInfo): ProxyAddress {
  const { scheme, name, port } = splitSchemeNamePort(info.name, info.resource.replace(/s$/, ""));
  const isTls = scheme === "https";
  switch (info.resource) {
    case "pods":
      return { ...podAddress(coreObject(server, "pods", info.namespace, name), port), isTls };
    case "services": {
      const service = coreObject<Service>(server, "services", info.namespace, name);
      return { ...serviceAddress(service, slicesOf(server, info.namespace, name), port, server.env.random.int), isTls };
    }
    default: {
      const node = coreObject<{ status: { addresses?: readonly { type: string; address: string }[] } }>(
        server,
        "nodes",
        undefined,
        name,
      );
      const host = node.status.addresses?.find(({ type }) => type === "InternalIP")?.address;
      if (host === undefined) throw new ApiError("ServiceUnavailable", `no address known for node "${name}"`);
      const number = port === "" ? KUBELET_PORT : Number(port);
      // Kubelets are spoken to over the node's own socket, whatever scheme their address is given.
      return number === KUBELET_PORT ? { host, port: number, kubeletOf: name } : { host, port: number, isTls };
    }
  }
}

const UPGRADE_ONLY = ["exec", "attach", "portforward"];

/** Handlers for log and proxy, and for exec, attach and port-forward without an upgrade, which are refused. */
export function connectSubresources(egress: Egress): SubresourceHandler[] {
  const proxy = (resource: string): SubresourceHandler => ({
    resource,
    group: "",
    subresource: "proxy",
    handle: async ({ server, info, request }) => proxyRequest(proxyAddressOf(server, info), request, egress),
  });
  const log: SubresourceHandler = {
    resource: "pods",
    group: "",
    subresource: "log",
    handle: async (call: ResourceRequest) => {
      if (call.info.verb !== "get") throw methodNotAllowed();
      return podLog(podOf(call.server, call.info), call.request, egress);
    },
  };
  const withoutUpgrade = UPGRADE_ONLY.map(
    (subresource): SubresourceHandler => ({
      resource: "pods",
      group: "",
      subresource,
      handle: async () => {
        throw new ApiError("BadRequest", "Upgrade request required");
      },
    }),
  );
  return [log, proxy("pods"), proxy("services"), proxy("nodes"), ...withoutUpgrade];
}
