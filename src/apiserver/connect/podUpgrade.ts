/**
 * Exec, attach and port-forward: after authentication, authorisation and admission the upgraded connection is passed to
 * the kubelet byte by byte, which speaks all framings; the API server needs none.
 */
import type { Pod } from "../../api/generated/core-v1.ts";
import type { Egress } from "./egress.ts";
import { passUpgrade, type Upgrade } from "./httpOverConnection.ts";
import { containerFor, nodeOf } from "./podConnection.ts";
import { unreachable } from "./unreachable.ts";

export type PodStreamSubresource = "exec" | "attach" | "portforward";
export const POD_STREAM_SUBRESOURCES: readonly PodStreamSubresource[] = ["exec", "attach", "portforward"];

/** Path and query of the same request at the kubelet. @throws ApiError */
export function kubeletPath(pod: Pod, subresource: PodStreamSubresource, query: URLSearchParams): string {
  const place = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (subresource === "portforward") return `/portForward/${place}?${query}`;
  return `/${subresource}/${place}/${containerFor(pod, query.get("container"))}?${query}`;
}

/** @throws ApiError as long as nothing has been sent to the client */
export async function podUpgrade(
  pod: Pod,
  subresource: PodStreamSubresource,
  egress: Egress,
  upgrade: Upgrade,
): Promise<void> {
  const query = new URL(upgrade.request.url ?? "/", "http://localhost").searchParams;
  const path = kubeletPath(pod, subresource, query);
  const nodeName = nodeOf(pod);
  passUpgrade(upgrade, await egress.kubelet(nodeName).catch(unreachable(nodeName)), { path });
}
