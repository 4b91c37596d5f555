/** Defaults of `spec.resources`, where it is given in part. Source: apis/core/v1/defaults.go, defaultPodRequests. */
import type { PodSpec } from "../../generated/core-v1.ts";
import { aggregateContainerResources } from "./aggregateResources.ts";

export const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
/** Source: component-helpers resource/helpers.go, IsSupportedPodLevelResource. */
export const isPodLevelResource = (name: string): boolean => name === "cpu" || name === "memory" || isHugePages(name);
/** Whether more may be given out than there is: only of Kubernetes' own, and not of huge pages. */
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);
/** Source: apis/core/helper IsNativeResource. */
export const isNativeResource = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");

const picked = (list: Readonly<Record<string, string>>, keep: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(list).filter(([name]) => keep(name)));

export function podLevelDefaults(spec: PodSpec): PodSpec {
  const { resources } = spec;
  const none = Object.keys({ ...resources?.limits, ...resources?.requests }).length === 0;
  if (resources === undefined || none) return spec;
  const hugePages = picked(
    aggregateContainerResources(spec, "limits"),
    (name) => isHugePages(name) && resources.requests?.[name] === undefined,
  );
  const limits = { ...hugePages, ...resources.limits };
  if (Object.keys(limits).length === 0) return spec;
  const fromContainers = picked(
    aggregateContainerResources(spec, "requests"),
    (name) => isPodLevelResource(name) && isOvercommitAllowed(name),
  );
  const requests = { ...picked(limits, isPodLevelResource), ...fromContainers, ...resources.requests };
  const same =
    Object.keys(limits).length === Object.keys(resources.limits ?? {}).length &&
    Object.keys(requests).length === Object.keys(resources.requests ?? {}).length;
  return same ? spec : { ...spec, resources: { ...resources, limits, requests } };
}
