/** The text of FailedScheduling. Source: framework/types.go, FitError.Error. */
import type { Diagnosis } from "./filtering.ts";
import type { PreemptionOutcome } from "./preemption.ts";

/**
 * "0/2 nodes are available: 1 Insufficient cpu, 1 Too many pods. no new claims to deallocate, preemption: …": what the
 * filters said, then what could be done about it. Where pods are being preempted, that goes without saying.
 */
export function unschedulableMessage(diagnosis: Diagnosis, outcome: PreemptionOutcome): string {
  const { nodeCount, byNode, absent, wholesale } = diagnosis;
  const available = `0/${nodeCount} nodes are available:`;
  const reasons = [...byNode.values(), ...absentees(diagnosis).map(() => absent)];
  const filters = wholesale?.reasons.join(", ") ?? counted(reasons.flatMap((rejection) => rejection?.reasons ?? []));
  const failed = `${available} ${filters}.`;
  if (outcome.do === "preempt") return failed;
  // Source: plugins/dynamicresources PostFilter and framework/preemption; both are asked, in this order.
  const because = "message" in outcome ? outcome.message : `${available} ${counted(outcome.reasons)}.`;
  return `${failed} no new claims to deallocate, preemption: ${because}`;
}

const absentees = ({ nodeCount, byNode }: Diagnosis): readonly undefined[] =>
  Array.from({ length: Math.max(0, nodeCount - byNode.size) }, () => undefined);

/** "1 Insufficient cpu, 2 Too many pods": sorted as text, as upstream sorts them. */
function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
