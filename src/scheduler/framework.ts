/**
 * What a scheduling plugin is: a reason why a node cannot take a pod, a preference among those that can, or both.
 * Source of names and order: kubernetes pkg/scheduler/apis/config/v1/default_plugins.go.
 */
import type { Pod } from "../api/generated/core-v1.ts";
import type { Labels, Selector } from "../machinery/labelSelector.ts";
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
  | "node-removed"
  | "node-resources-changed"
  | "node-labels-changed"
  | "node-taints-changed"
  | "pod-removed"
  | "pod-added"
  | "pod-changed";

/** All that plugins may ask about the cluster, as of one moment. */
export interface ClusterView {
  readonly nodes: readonly NodeInfo[];
  readonly namespaceLabels: (name: string) => Labels;
  /** What the services and the set of a pod select together; undefined where it has none. */
  readonly ownSelector: (pod: Pod) => Selector | undefined;
  /** Pods for which room is being made there. */
  readonly nominatedTo: (nodeName: string) => readonly Pod[];
}

/** The same cluster as if one node were otherwise. */
export const withNode = (cluster: ClusterView, changed: NodeInfo): ClusterView => ({
  ...cluster,
  nodes: cluster.nodes.map((node) => (node.name === changed.name ? changed : node)),
});

export interface SchedulerPlugin<Prepared = unknown, Scoring = Prepared> {
  readonly name: string;
  /** Multiplies its scores. */
  readonly weight?: number;
  /** Keeps the pod out of the queue altogether. Source: framework, PreEnqueue. */
  readonly gate?: (pod: Pod) => boolean;
  /** Once per pod and cycle, so that filter and score need not work it out per node. */
  readonly prepare?: (pod: Pod, cluster: ClusterView) => Prepared;
  /** The only nodes worth a look, or why none is; undefined: all. Source: framework, PreFilterResult. */
  readonly candidates?: (pod: Pod) => ReadonlySet<string> | Rejection | undefined;
  /** Undefined: the node is fine. */
  readonly filter?: (pod: Pod, node: NodeInfo, prepared: Prepared) => Rejection | undefined;
  /** Before scores, with the nodes that passed; undefined: this plugin does not care. Absent: as prepared. */
  readonly prepareScore?: (pod: Pod, feasible: readonly NodeInfo[], cluster: ClusterView) => Scoring | undefined;
  readonly score?: (pod: Pod, node: NodeInfo, scoring: Scoring) => number;
  /** Scores of all feasible nodes brought to 0…100, in place. */
  readonly normalize?: (scores: number[], feasible: readonly NodeInfo[], scoring: Scoring) => void;
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
