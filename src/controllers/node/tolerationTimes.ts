/** How long a pod may stay on a node that has taints with NoExecute. Source: pkg/controller/tainteviction. */
import type { Node, Pod, Taint } from "../../api/generated/core-v1.ts";
import { tolerates } from "./nodeTaints.ts";

/** @returns when it has to go (0: now); undefined where it may stay. */
export function evictionDueMs(pod: Pod, node: Node | undefined): number | undefined {
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
  return addedMs(taints) + Math.max(0, Math.min(...limits)) * 1000;
}

/** The time counts from the first taint on, and goes on across a restart. */
const addedMs = (taints: readonly Taint[]): number =>
  Math.min(...taints.map(({ timeAdded }) => (timeAdded === undefined ? 0 : Date.parse(timeAdded))));
