/** How long a pod may stay on a node that has taints with NoExecute. Source: pkg/controller/tainteviction. */
import type { Node, Pod, Taint } from "../../api/generated/core-v1.ts";
import { tolerates } from "../../machinery/tolerations.ts";

/**
 * @param seenMs when the pod was first seen on the tainted node
 * @returns when it has to go (0: now); undefined where it may stay.
 */
export function evictionDueMs(pod: Pod, node: Node | undefined, seenMs: number): number | undefined {
  const taints = node?.spec?.taints?.filter(({ effect }) => effect === "NoExecute") ?? [];
  if (taints.length === 0) return undefined;
  const tolerations = pod.spec?.tolerations ?? [];
  const used = new Set<(typeof tolerations)[number]>();
  for (const taint of taints) {
    const covering = tolerations.find((toleration) => tolerates(toleration, taint));
    if (covering === undefined) return 0;
    used.add(covering);
  }
  const limits = [...used].map(({ tolerationSeconds }) => tolerationSeconds).filter((seconds) => seconds !== undefined);
  if (limits.length === 0) return undefined;
  return sinceMs(taints, pod, seenMs) + Math.max(0, Math.min(...limits)) * 1000;
}

/**
 * From when the time counts. Taints of the node lifecycle say when they came, so that theirs goes on across a restart;
 * for those that people put on, it counts from when they were seen, as upstream counts for all.
 */
function sinceMs(taints: readonly Taint[], pod: Pod, seenMs: number): number {
  const createdMs = Date.parse(pod.metadata.creationTimestamp);
  return Math.min(
    ...taints.map(({ timeAdded }) => (timeAdded === undefined ? seenMs : Math.max(Date.parse(timeAdded), createdMs))),
  );
}
