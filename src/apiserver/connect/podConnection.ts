/** Which kubelet and container a request for a pod's log, exec or attach means. Source: pkg/registry/core/pod/strategy.go, validateContainer. */
import type { Pod } from "../../api/generated/core-v1.ts";
import { ApiError } from "../../machinery/errors.ts";

/** The container asked for, or the only one (beside those for initialisation). @throws ApiError BadRequest */
export function containerFor(pod: Pod, asked: string | null): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all = [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
  if (asked !== null && asked !== "") {
    if (all.includes(asked)) return asked;
    throw new ApiError("BadRequest", `container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return only.name;
  throw new ApiError(
    "BadRequest",
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${all.join(" ")}]`,
  );
}

/** @throws ApiError BadRequest when the pod has no node yet */
export function nodeOf(pod: Pod): string {
  const { nodeName } = pod.spec;
  if (nodeName === undefined || nodeName === "") {
    throw new ApiError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
  }
  return nodeName;
}
