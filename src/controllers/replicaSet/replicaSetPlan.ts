/** How many pods a ReplicaSet makes or deletes, and which. Source: pkg/controller/replicaset/replica_set.go. */
import type { ReplicaSet } from "../../api/generated/apps-v1.ts";
import type { Pod } from "../../api/generated/core-v1.ts";
import { byExpendability } from "../pods/podExpendability.ts";
import { isActive } from "../pods/podReadiness.ts";

/** Most creates or deletes in one sync. Source: replica_set.go, BurstReplicas. */
export const BURST_PODS_MAX = 500;

export type ReplicaSetAction =
  | { readonly do: "create-pods"; readonly count: number }
  | { readonly do: "delete-pod"; readonly pod: Pod };

export interface ObservedReplicaSet {
  readonly set: ReplicaSet;
  /** Those that it controls. */
  readonly pods: readonly Pod[];
  /** Those of all sets of the same owner, such as a Deployment; asked only when a full node is to be relieved. */
  readonly relatedPods: () => readonly Pod[];
  readonly nowMs: number;
}

/** Decides; never acts. Same input, same actions. */
export function plan({ set, pods, relatedPods, nowMs }: ObservedReplicaSet): readonly ReplicaSetAction[] {
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const active = pods.filter(isActive);
  const missing = (set.spec.replicas ?? 1) - active.length;
  if (missing > 0) return [{ do: "create-pods", count: Math.min(missing, BURST_PODS_MAX) }];
  if (missing === 0) return [];
  const order = byExpendability({ nowMs, relatedOnNode: countsByNode(relatedPods()) });
  return active
    .toSorted(order)
    .slice(0, Math.min(-missing, BURST_PODS_MAX))
    .map((pod) => ({ do: "delete-pod", pod }));
}

function countsByNode(pods: readonly Pod[]): (pod: Pod) => number {
  const counts = new Map<string, number>();
  for (const pod of pods.filter(isActive)) {
    const node = pod.spec?.nodeName ?? "";
    counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return (pod) => counts.get(pod.spec?.nodeName ?? "") ?? 0;
}
