/**
 * Chooses a node for a pod. Pure but for the draw among the best nodes, which the injected randomness makes.
 * Source of the algorithm: kubernetes pkg/scheduler/schedule_one.go.
 */
import type { Pod } from "../api/generated/core-v1.ts";
import type { Random } from "../lib/env.ts";
import type { Rejection, SchedulerPlugin } from "./framework.ts";
import type { NodeInfo } from "./nodeInfo.ts";

export type Plan =
  | { readonly do: "bind"; readonly nodeName: string }
  | { readonly do: "wait"; readonly message: string; readonly plugins: readonly string[] };

/** Upstream looks at every node up to this many and at a share of more. Source: minFeasibleNodesToFind. */
const FEASIBLE_NODES_MIN = 100;
/** Source: numFeasibleNodesToFind, percentage = 50 − nodes / 125, at least 5. */
const percentageOfNodes = (count: number) => Math.max(5, 50 - Math.floor(count / 125));

export const feasibleNodesEnough = (count: number): number =>
  count <= FEASIBLE_NODES_MIN
    ? count
    : Math.max(FEASIBLE_NODES_MIN, Math.floor((count * percentageOfNodes(count)) / 100));

/** Prepared values by plugin name; a plugin without `prepare` gets undefined. */
type Prepared = ReadonlyMap<string, unknown>;

export interface PlanInput {
  readonly pod: Pod;
  readonly nodes: readonly NodeInfo[];
  readonly plugins: readonly SchedulerPlugin[];
  readonly random: Random;
  /** Where to begin, so that with many nodes not always the same ones are looked at. */
  readonly startIndex?: number;
}

export function plan({ pod, nodes, plugins, random, startIndex = 0 }: PlanInput): Plan {
  const prepared = new Map(plugins.map((plugin) => [plugin.name, plugin.prepare?.(pod)]));
  const feasible: NodeInfo[] = [];
  const rejections: { readonly plugin: string; readonly rejection: Rejection }[] = [];
  const enough = feasibleNodesEnough(nodes.length);
  for (let offset = 0; offset < nodes.length && feasible.length < enough; offset++) {
    const node = nodes[(startIndex + offset) % nodes.length] as NodeInfo;
    const rejected = firstRejection(pod, node, plugins, prepared);
    if (rejected === undefined) feasible.push(node);
    else rejections.push(rejected);
  }
  if (feasible.length === 0) {
    // Without nodes every plugin counts as having said no: whatever brings a node, helps.
    const rejecting = nodes.length === 0 ? plugins.map(({ name }) => name) : rejections.map(({ plugin }) => plugin);
    return {
      do: "wait",
      message: unschedulableMessage(
        nodes.length,
        rejections.map(({ rejection }) => rejection),
      ),
      plugins: [...new Set(rejecting)],
    };
  }
  if (feasible.length === 1) return { do: "bind", nodeName: (feasible[0] as NodeInfo).name };
  return { do: "bind", nodeName: best(feasible, scoresOf(pod, feasible, plugins, prepared), random).name };
}

function firstRejection(pod: Pod, node: NodeInfo, plugins: readonly SchedulerPlugin[], prepared: Prepared) {
  for (const plugin of plugins) {
    const rejection = plugin.filter?.(pod, node, prepared.get(plugin.name));
    if (rejection !== undefined) return { plugin: plugin.name, rejection };
  }
  return undefined;
}

function scoresOf(
  pod: Pod,
  nodes: readonly NodeInfo[],
  plugins: readonly SchedulerPlugin[],
  prepared: Prepared,
): number[] {
  const totals = nodes.map(() => 0);
  for (const plugin of plugins) {
    if (plugin.score === undefined) continue;
    const scores = nodes.map((node) => plugin.score?.(pod, node, prepared.get(plugin.name)) ?? 0);
    plugin.normalize?.(scores);
    scores.forEach((score, index) => {
      totals[index] = (totals[index] as number) + score * (plugin.weight ?? 1);
    });
  }
  return totals;
}

function best(nodes: readonly NodeInfo[], scores: readonly number[], random: Random): NodeInfo {
  const greatest = Math.max(...scores);
  const winners = nodes.filter((_, index) => scores[index] === greatest);
  return winners[random.int(winners.length)] as NodeInfo;
}

/** Source: framework/types.go FitError.Error; preemption.go and dynamicresources.go PostFilter. */
export function unschedulableMessage(nodeCount: number, rejections: readonly Rejection[]): string {
  const available = `0/${nodeCount} nodes are available`;
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const unresolvable = rejections.filter((rejection) => rejection.unresolvable).length;
  const preemption = counted([
    ...Array.from({ length: unresolvable }, () => "Preemption is not helpful for scheduling"),
    ...Array.from({ length: nodeCount - unresolvable }, () => "No preemption victims found for incoming pod"),
  ]);
  const reasons = counted(rejections.flatMap((rejection) => rejection.reasons));
  return `${available}: ${reasons}. no new claims to deallocate, preemption: ${available}: ${preemption}.`;
}

/** "1 Insufficient cpu, 2 Too many pods": sorted as text, as upstream sorts them. */
function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
