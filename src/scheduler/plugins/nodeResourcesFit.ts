import { NODE_SCORE_MAX, type Rejection, type SchedulerPlugin } from "../framework.ts";
import type { NodeInfo } from "../nodeInfo.ts";
import { podResources, type Resources } from "../podResources.ts";

interface Prepared {
  readonly requested: Resources;
  readonly nonZero: Resources;
}

/** Allocatable pods when a node does not say. */
const PODS_DEFAULT = 0;

function insufficient(node: NodeInfo, requested: Resources): Rejection | undefined {
  const reasons: string[] = [];
  let unresolvable = false;
  if (node.pods.size + 1 > (node.allocatable.pods ?? PODS_DEFAULT)) reasons.push("Too many pods");
  for (const [name, amount] of Object.entries(requested)) {
    if (amount === 0) continue;
    const capacity = node.allocatable[name] ?? 0;
    if (amount <= capacity - (node.requested[name] ?? 0)) continue;
    reasons.push(`Insufficient ${name}`);
    // More than the whole node has: nobody's leaving would help.
    if (amount > capacity) unresolvable = true;
  }
  return reasons.length === 0 ? undefined : { reasons, unresolvable };
}

/** Resources scored, each with weight 1. Source: default NodeResourcesFitArgs. */
const SCORED = ["cpu", "memory"] as const;

/** The share left free, averaged. Source: noderesources/least_allocated.go. */
function leastAllocated(node: NodeInfo, asked: Resources): number {
  let sum = 0;
  let weights = 0;
  for (const name of SCORED) {
    const capacity = node.allocatable[name] ?? 0;
    if (capacity === 0) continue;
    const used = (node.nonZeroRequested[name] ?? 0) + (asked[name] ?? 0);
    sum += used > capacity ? 0 : Math.floor(((capacity - used) * NODE_SCORE_MAX) / capacity);
    weights += 1;
  }
  return weights === 0 ? 0 : Math.floor(sum / weights);
}

/** Source: plugins/noderesources/fit.go with the LeastAllocated strategy. */
export const nodeResourcesFit: SchedulerPlugin<Prepared> = {
  name: "NodeResourcesFit",
  weight: 1,
  prepare: podResources,
  filter: (_pod, node, { requested }) => insufficient(node, requested),
  score: (_pod, node, { nonZero }) => leastAllocated(node, nonZero),
  helpedBy: ["node-added", "node-resources-changed", "pod-removed", "pod-changed"],
};
