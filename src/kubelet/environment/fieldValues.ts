/** What a pod can be told about itself: `fieldRef` and `resourceFieldRef`. Source: pkg/fieldpath, api/v1/resource. */
import type { Container, Pod, ResourceFieldSelector } from "../../api/generated/core-v1.ts";
import { parseQuantity } from "../../machinery/quantity.ts";

export interface PodFacts {
  readonly pod: Pod;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly nodeName: string;
}

/** As Go's %q writes it. */
const quoted = (value: string): string => JSON.stringify(value);

/** Lines `key="value"`, sorted. Source: fieldpath.FormatMap. */
export const formatMap = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${quoted(map?.[key] ?? "")}`)
    .join("\n");

/** @throws Error for a path that is none. */
export function fieldValue({ pod, podIps, hostIps, nodeName }: PodFacts, path: string): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript !== null) return metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2] as string] ?? "";
  switch (path) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid;
    case "metadata.labels":
      return formatMap(metadata.labels);
    case "metadata.annotations":
      return formatMap(metadata.annotations);
    case "spec.nodeName":
      return spec.nodeName ?? nodeName;
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "";
    case "status.hostIP":
      return hostIps[0] ?? "";
    case "status.hostIPs":
      return hostIps.join(",");
    case "status.podIP":
      return podIps[0] ?? "";
    case "status.podIPs":
      return podIps.join(",");
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/** An amount in units of the divisor, rounded up. */
function divided(amount: string, divisor: string | undefined): string {
  const unit =
    divisor === undefined || parseQuantity(divisor).nano === 0n ? 1_000_000_000n : parseQuantity(divisor).nano;
  const { nano } = parseQuantity(amount);
  return `${(nano + unit - 1n) / unit}`;
}

/**
 * "limits.cpu" and its like; a limit that is not set is the node's allocatable amount.
 * @throws Error for a resource that is none.
 */
export function resourceFieldValue(
  container: Container,
  { resource, divisor }: ResourceFieldSelector,
  allocatable: Readonly<Record<string, string>>,
): string {
  const match = /^(limits|requests)\.(.+)$/.exec(resource);
  if (match === null) throw new Error(`unsupported container resource : ${resource}`);
  const [, list, name = ""] = match;
  const limit = container.resources?.limits?.[name];
  const request = container.resources?.requests?.[name];
  if (list === "limits") return divided(limit ?? allocatable[name] ?? "0", divisor);
  return divided(request ?? limit ?? "0", divisor);
}
