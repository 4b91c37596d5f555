/**
 * What a scheduling plugin is: a reason why a node cannot take a pod, a preference among those that can, or both.
 * Source of names and order: kubernetes pkg/scheduler/apis/config/v1/default_plugins.go.
 */
import type { Pod } from "../api/generated/core-v1.ts";
import type { NodeInfo } from "./nodeInfo.ts";

/** Scores run from 0 to this. Source: kube-scheduler framework, MaxNodeScore. */
export const NODE_SCORE_MAX = 100;

export interface Rejection {
  /** As counted in the event: "Insufficient cpu", "node(s) didn't match Pod's node affinity/selector". */
  readonly reasons: readonly string[];
  /** Evicting other pods could not help. Source: framework.UnschedulableAndUnresolvable. */
  readonly unresolvable: boolean;
}

/** What happened in the cluster that could make a waiting pod fit. */
export type ClusterEvent =
  | "node-added"
  | "node-resources-changed"
  | "node-labels-changed"
  | "node-taints-changed"
  | "pod-removed"
  | "pod-added"
  | "pod-changed";

export interface SchedulerPlugin<Prepared = unknown> {
  readonly name: string;
  /** Multiplies its scores. */
  readonly weight?: number;
  /** Keeps the pod out of the queue altogether. Source: framework, PreEnqueue. */
  readonly gate?: (pod: Pod) => boolean;
  /** Once per pod and cycle, so that filter and score need not work it out per node. */
  readonly prepare?: (pod: Pod) => Prepared;
  /** Undefined: the node is fine. */
  readonly filter?: (pod: Pod, node: NodeInfo, prepared: Prepared) => Rejection | undefined;
  readonly score?: (pod: Pod, node: NodeInfo, prepared: Prepared) => number;
  /** Scores of all feasible nodes brought to 0…100, in place. */
  readonly normalize?: (scores: number[]) => void;
  /** Events that can undo a rejection of this plugin. */
  readonly helpedBy: readonly ClusterEvent[];
}

export const reject = (reason: string, { unresolvable = false } = {}): Rejection => ({
  reasons: [reason],
  unresolvable,
});

/** Brings scores to 0…100 by the greatest. Source: plugins/helper/normalize_score.go. */
export function normalizeByGreatest(scores: number[], { reverse = false } = {}): void {
  const greatest = Math.max(0, ...scores);
  scores.forEach((score, index) => {
    const scaled = greatest === 0 ? 0 : Math.floor((NODE_SCORE_MAX * score) / greatest);
    scores[index] = reverse ? NODE_SCORE_MAX - scaled : scaled;
  });
}
