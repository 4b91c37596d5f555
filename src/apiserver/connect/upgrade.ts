/** Upgraded connections: exec, attach, port-forward, and anything through the proxy subresource. */
import { ApiError } from "../../machinery/errors.ts";
import type { RequestInfo } from "../requestInfo.ts";
import type { Egress } from "./egress.ts";
import type { Upgrade } from "./httpOverConnection.ts";
import { type Lookup, podOf, proxyAddressOf } from "./podSubresources.ts";
import { POD_STREAM_SUBRESOURCES, type PodStreamSubresource, podUpgrade } from "./podUpgrade.ts";
import { proxyUpgrade } from "./proxy.ts";

/** To be called once the request is authenticated and allowed. @throws ApiError before anything has been sent */
export async function connectUpgrade(
  server: Lookup,
  info: RequestInfo,
  egress: Egress,
  upgrade: Upgrade,
): Promise<void> {
  if (info.resource === "pods" && POD_STREAM_SUBRESOURCES.includes(info.subresource as PodStreamSubresource)) {
    return podUpgrade(podOf(server, info), info.subresource as PodStreamSubresource, egress, upgrade);
  }
  if (info.subresource === "proxy") return proxyUpgrade(proxyAddressOf(server, info), egress, upgrade);
  throw new ApiError("BadRequest", "this path takes no upgraded connections");
}
