import { NODE_SCORE_MAX, type SchedulerPlugin } from "../framework.ts";
import type { NodeInfo } from "../nodeInfo.ts";
import { podResources, type Resources } from "../podResources.ts";

const BALANCED = ["cpu", "memory"] as const;

/** (1 − standard deviation of the used fractions) × 100. For two fractions the deviation is half their distance. */
function balance(node: NodeInfo, requested: Resources): number {
  const fractions = BALANCED.flatMap((name) => {
    const capacity = node.allocatable[name] ?? 0;
    if (capacity === 0) return [];
    return [Math.min(1, ((node.requested[name] ?? 0) + (requested[name] ?? 0)) / capacity)];
  });
  const [first, second] = fractions;
  const deviation = first === undefined || second === undefined ? 0 : Math.abs(first - second) / 2;
  return Math.floor((1 - deviation) * NODE_SCORE_MAX);
}

/** Pods that ask for neither are left out, so that they do not pile up. Source: noderesources/balanced_allocation.go. */
export const nodeResourcesBalancedAllocation: SchedulerPlugin<Resources> = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  prepare: (pod) => podResources(pod).requested,
  score: (_pod, node, requested) =>
    BALANCED.every((name) => (requested[name] ?? 0) === 0) ? 0 : balance(node, requested),
  helpedBy: [],
};
