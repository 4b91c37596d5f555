/**
 * Chooses a node for a pod. Pure but for the draw among the best nodes, which the injected randomness makes.
 * Source of the algorithm: kubernetes pkg/scheduler/schedule_one.go.
 */
import type { Pod } from "../api/generated/core-v1.ts";
import type { Random } from "../lib/env.ts";
import { type Filtered, filterNodes, type Prepared } from "./filtering.ts";
import type { ClusterView, SchedulerPlugin } from "./framework.ts";
import type { NodeInfo } from "./nodeInfo.ts";
import { type Preemption, preempt } from "./preemption.ts";
import { unschedulableMessage } from "./unschedulableMessage.ts";

export type Plan =
  | { readonly do: "bind"; readonly nodeName: string }
  | {
      readonly do: "wait";
      readonly message: string;
      readonly plugins: readonly string[];
      /** Pods that have to go for this one, and the node on which they are. */
      readonly preemption?: Preemption;
      /** Nobody's going would help: room that was kept for it is given up. */
      readonly isHopeless: boolean;
    };

export interface PlanInput {
  readonly pod: Pod;
  readonly cluster: ClusterView;
  readonly plugins: readonly SchedulerPlugin[];
  readonly random: Random;
  readonly startIndex?: number;
}

export function plan(input: PlanInput): Plan {
  const { pod, cluster, plugins, random } = input;
  if (cluster.nodes.length === 0) {
    // Every plugin counts as having said no: whatever brings a node, helps.
    return {
      do: "wait",
      message: "no nodes available to schedule pods",
      plugins: plugins.map(({ name }) => name),
      isHopeless: true,
    };
  }
  const filtered = findFeasible(input);
  if (filtered.feasible.length === 0) return waiting(input, filtered);
  const [only] = filtered.feasible;
  if (filtered.feasible.length === 1) return { do: "bind", nodeName: (only as NodeInfo).name };
  const scores = scoresOf(pod, filtered.feasible, cluster, plugins, filtered.prepared);
  return { do: "bind", nodeName: best(filtered.feasible, scores, random).name };
}

/** Where room was made for it, it goes, if it can. Source: evaluateNominatedNode. */
function findFeasible(input: PlanInput): Filtered {
  const { nominatedNodeName = "" } = input.pod.status;
  const only = input.cluster.nodes.find(({ name }) => name === nominatedNodeName);
  const there = only === undefined ? undefined : filterNodes({ ...input, only });
  return there !== undefined && there.feasible.length > 0 ? there : filterNodes(input);
}

function waiting({ pod, cluster, plugins, random }: PlanInput, { diagnosis }: Filtered): Plan {
  const outcome = preempt({ pod, cluster, plugins, diagnosis, random });
  return {
    do: "wait",
    message: unschedulableMessage(diagnosis, outcome),
    plugins: [...diagnosis.plugins],
    isHopeless: "reasons" in outcome,
    ...(outcome.do === "preempt" && { preemption: outcome }),
  };
}

function scoresOf(
  pod: Pod,
  nodes: readonly NodeInfo[],
  cluster: ClusterView,
  plugins: readonly SchedulerPlugin[],
  prepared: Prepared,
): number[] {
  const totals = nodes.map(() => 0);
  for (const { name, score, prepareScore, normalize, weight = 1 } of plugins) {
    if (score === undefined) continue;
    const scoring = prepareScore === undefined ? prepared.get(name) : prepareScore(pod, nodes, cluster);
    if (prepareScore !== undefined && scoring === undefined) continue;
    const scores = nodes.map((node) => score(pod, node, scoring));
    normalize?.(scores, nodes, scoring);
    scores.forEach((one, index) => {
      totals[index] = (totals[index] as number) + one * weight;
    });
  }
  return totals;
}

function best(nodes: readonly NodeInfo[], scores: readonly number[], random: Random): NodeInfo {
  const greatest = Math.max(...scores);
  const winners = nodes.filter((_, index) => scores[index] === greatest);
  return winners[random.int(winners.length)] as NodeInfo;
}
