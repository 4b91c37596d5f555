/** Which kubelet and container a request for a pod's log, exec or attach means. Source: pkg/registry/core/pod/strategy.go. */
import type { Pod } from "../../api/generated/core-v1.ts";
import { ApiError } from "../../machinery/errors.ts";

/** The container asked for, or the only (or annotated) one. @throws ApiError BadRequest, in upstream's words */
export function containerFor(pod: Pod, asked: string | null): string {
  const names = (containers: readonly { readonly name: string }[] | undefined) =>
    (containers ?? []).map(({ name }) => name);
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  const all = [...names(containers), ...names(initContainers), ...names(ephemeralContainers)];
  if (asked !== null && asked !== "") {
    if (all.includes(asked)) return asked;
    throw new ApiError("BadRequest", `container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  if (containers.length === 1 && all.length === 1) return all[0] as string;
  const initial = names(initContainers);
  if (containers.length === 1 && initial.length === 0) return (containers[0] as { name: string }).name;
  const choices = names(containers).join(" ");
  const suffix = initial.length === 0 ? "" : ` or one of the init containers: [${initial.join(" ")}]`;
  throw new ApiError(
    "BadRequest",
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${choices}]${suffix}`,
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
