/**
 * Which pods of lower priority would have to go so that a pod fits. Decides; never acts.
 * Source: pkg/scheduler/framework/preemption and plugins/defaultpreemption. Absent: disruption budgets.
 */
import type { Pod } from "../api/generated/core-v1.ts";
import type { Random } from "../lib/env.ts";
import { type Diagnosis, priorityOf, rejectionOn } from "./filtering.ts";
import { type ClusterView, type SchedulerPlugin, withNode } from "./framework.ts";
import type { NodeInfo } from "./nodeInfo.ts";

/** In the condition DisruptionTarget. Source: api/core/v1, PodReasonPreemptionByScheduler. */
export const PREEMPTED_BY_SCHEDULER = "PreemptionByScheduler";
/** Nodes tried out: a tenth of all, but at least so many. Source: DefaultPreemptionArgs. */
const CANDIDATES_PERCENT = 10;
const CANDIDATES_MIN = 100;

export interface Preemption {
  readonly do: "preempt";
  readonly nodeName: string;
  /** The most important first. */
  readonly victims: readonly Pod[];
}

export type PreemptionOutcome =
  | Preemption
  /** What each node lacks, all the same. */
  | { readonly do: "none"; readonly reasons: readonly string[] }
  /** It is not tried at all. */
  | { readonly do: "none"; readonly message: string };

export interface PreemptionInput {
  readonly pod: Pod;
  readonly cluster: ClusterView;
  readonly plugins: readonly SchedulerPlugin[];
  readonly diagnosis: Diagnosis;
  readonly random: Random;
}

export function preempt(input: PreemptionInput): PreemptionOutcome {
  const { cluster, diagnosis, random } = input;
  const message = ineligibility(input);
  if (message !== undefined) return { do: "none", message };
  const helpful = cluster.nodes.filter(({ name }) => diagnosis.byNode.get(name)?.unresolvable === false);
  const reasons = Array.from(
    { length: cluster.nodes.length - helpful.length },
    () => "Preemption is not helpful for scheduling",
  );
  const enough = Math.max(CANDIDATES_MIN, Math.floor((helpful.length * CANDIDATES_PERCENT) / 100));
  const offset = helpful.length === 0 ? 0 : random.int(helpful.length);
  const found: Preemption[] = [];
  for (let index = 0; index < helpful.length && found.length < enough; index++) {
    const result = victimsOn(input, helpful[(offset + index) % helpful.length] as NodeInfo);
    if ("do" in result) found.push(result);
    else reasons.push(...result.reasons);
  }
  return found.length === 0 ? { do: "none", reasons } : gentlest(found);
}

/** Source: PodEligibleToPreemptOthers. */
function ineligibility({ pod, cluster, diagnosis }: PreemptionInput): string | undefined {
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = pod.status.nominatedNodeName ?? "";
  if (nominated === "" || diagnosis.byNode.get(nominated)?.unresolvable === true) return undefined;
  const node = cluster.nodes.find(({ name }) => name === nominated);
  const isClearing = [...(node?.pods.values() ?? [])].some(
    (other) => priorityOf(other) < priorityOf(pod) && isBeingPreempted(other),
  );
  return isClearing ? "not eligible due to a terminating pod on the nominated node." : undefined;
}

const isBeingPreempted = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined &&
  status.conditions?.some(({ type, reason }) => type === "DisruptionTarget" && reason === PREEMPTED_BY_SCHEDULER) ===
    true;

type OnNode = Preemption | { readonly reasons: readonly string[] };

/** All of lower priority go, and then those come back that may, the most important first. Source: SelectVictimsOnNode. */
function victimsOn({ pod, cluster, plugins }: PreemptionInput, node: NodeInfo): OnNode {
  const lower = [...node.pods.values()].filter((other) => priorityOf(other) < priorityOf(pod));
  if (lower.length === 0) return { reasons: ["No preemption victims found for incoming pod"] };
  const emptier = node.copy();
  for (const other of lower) emptier.removePod(other.metadata.uid);
  const rejection = () => rejectionOn(pod, emptier, withNode(cluster, emptier), plugins);
  const rejected = rejection();
  if (rejected !== undefined) return { reasons: rejected.rejection.reasons };
  const victims = lower.toSorted(byImportance).filter((other) => {
    emptier.addPod(other);
    if (rejection() === undefined) return false;
    emptier.removePod(other.metadata.uid);
    return true;
  });
  return { do: "preempt", nodeName: node.name, victims };
}

const startedMs = ({ status, metadata }: Pod): number => Date.parse(status.startTime ?? metadata.creationTimestamp);

/** Source: scheduler/util, MoreImportantPod. */
const byImportance = (a: Pod, b: Pod): number => priorityOf(b) - priorityOf(a) || startedMs(a) - startedMs(b);

/** Source: pickOneNodeForPreemption. The criteria are asked in this order; the first that differs decides. */
function gentlest(found: readonly Preemption[]): Preemption {
  const greatest = ({ victims }: Preemption) => Math.max(Number.NEGATIVE_INFINITY, ...victims.map(priorityOf));
  // Offset as upstream does, so that many victims of low priority weigh more than few.
  const sum = ({ victims }: Preemption) => victims.reduce((total, victim) => total + priorityOf(victim) + 2 ** 31, 0);
  const earliestOfGreatest = (one: Preemption) =>
    Math.min(...one.victims.filter((victim) => priorityOf(victim) === greatest(one)).map(startedMs));
  const [gentle] = found.toSorted(
    (a, b) =>
      greatest(a) - greatest(b) ||
      sum(a) - sum(b) ||
      a.victims.length - b.victims.length ||
      earliestOfGreatest(b) - earliestOfGreatest(a),
  );
  return gentle as Preemption;
}
