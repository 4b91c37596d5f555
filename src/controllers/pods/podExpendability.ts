/** Which of several equal pods goes first. Source: controller_utils.go, ActivePodsWithRanks. */
import type { Pod } from "../../api/generated/core-v1.ts";
import { isReady, readySinceMs } from "./podReadiness.ts";

/** Source: api/core/v1 annotation_key_constants.go, PodDeletionCost. */
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

export interface Expendability {
  readonly nowMs: number;
  /** How many related pods run on a pod's node: the fuller the node, the sooner one of them goes. */
  readonly relatedOnNode: (pod: Pod) => number;
}

/** Sorts the most expendable first. The criteria are asked in this order; the first that differs decides. */
export const byExpendability =
  ({ nowMs, relatedOnNode }: Expendability) =>
  (a: Pod, b: Pod): number =>
    Number(isAssigned(a)) - Number(isAssigned(b)) ||
    phaseOrder(a) - phaseOrder(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    relatedOnNode(b) - relatedOnNode(a) ||
    byAge(readySinceMs(a), readySinceMs(b), a, b, nowMs) ||
    restarts(b) - restarts(a) ||
    byAge(createdMs(a), createdMs(b), a, b, nowMs);

const isAssigned = (pod: Pod) => (pod.spec?.nodeName ?? "") !== "";
const phaseOrder = (pod: Pod) => PHASE_ORDER[pod.status?.phase ?? ""] ?? 0;
const createdMs = (pod: Pod) => Date.parse(pod.metadata.creationTimestamp);

function deletionCost(pod: Pod): number {
  const cost = Number.parseInt(pod.metadata.annotations?.[DELETION_COST] ?? "0", 10);
  return Number.isNaN(cost) ? 0 : cost;
}

/**
 * The younger first. Ages count only by their order of magnitude (base 2), so that of pods of about one age a random
 * one goes: the one of the lower uid. Source: logarithmicRankDiff, feature LogarithmicScaleDown.
 */
function byAge(aMs: number | undefined, bMs: number | undefined, a: Pod, b: Pod, nowMs: number): number {
  if (aMs === bMs || aMs === undefined || bMs === undefined) return 0;
  return magnitude(nowMs - aMs) - magnitude(nowMs - bMs) || (a.metadata.uid < b.metadata.uid ? -1 : 1);
}

/** Upstream counts in nanoseconds. */
const magnitude = (ageMs: number) => (ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1);

/** Of its containers, and of its init containers that never end. Source: compareMaxContainerRestarts. */
function restarts(pod: Pod): number {
  const sidecars = new Set(
    pod.spec?.initContainers?.filter((container) => container.restartPolicy === "Always").map(({ name }) => name),
  );
  const most = (statuses: readonly { readonly restartCount?: number }[] = []) =>
    Math.max(0, ...statuses.map(({ restartCount }) => restartCount ?? 0));
  const ofSidecars = pod.status?.initContainerStatuses?.filter(({ name }) => sidecars.has(name));
  // The sidecars decide only where the others are equal; no pod restarts a million times.
  return most(pod.status?.containerStatuses) + most(ofSidecars) / 1e6;
}
