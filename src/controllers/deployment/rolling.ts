/** A step of a rolling update. Source: pkg/controller/deployment/rolling.go. */
import { allSets, newSetReplicas, type Rollout, type SetDraft, scaleTo, totalReplicas } from "./rollout.ts";

/** Grows the new set as far as the surge allows; where it cannot grow, shrinks the old ones. */
export function rollingStep(rollout: Rollout): void {
  if (!scaleNewSet(rollout)) scaleOldSets(rollout);
}

function scaleNewSet(rollout: Rollout): boolean {
  const { newSet, desired } = rollout;
  if (newSet === undefined || newSet.replicas === desired) return false;
  if (newSet.replicas > desired) return scaleTo(rollout, newSet, desired);
  return scaleTo(rollout, newSet, newSetReplicas(rollout, newSet.replicas, totalReplicas(allSets(rollout))));
}

/**
 * Pods that are not available may go at any time, as long as enough are left in all; available ones only when more
 * than the least number is available.
 */
function scaleOldSets(rollout: Rollout): void {
  const { newSet, oldSets, desired, maxUnavailable } = rollout;
  if (totalReplicas(oldSets) === 0) return;
  const availableMin = desired - maxUnavailable;
  const newUnavailable = newSet === undefined ? 0 : newSet.replicas - newSet.availableReplicas;
  const removable = totalReplicas(allSets(rollout)) - availableMin - newUnavailable;
  if (removable <= 0) return;
  shrink(rollout, removable, (set) => Math.max(0, set.replicas - set.availableReplicas));
  const available = allSets(rollout).reduce((sum, set) => sum + set.availableReplicas, 0);
  shrink(rollout, available - availableMin, (set) => set.replicas);
}

/** Takes up to `count` pods from the old sets, the oldest first. */
function shrink(rollout: Rollout, count: number, removableOf: (set: SetDraft) => number): void {
  let left = count;
  for (const set of rollout.oldSets) {
    const removed = Math.min(left, removableOf(set));
    if (removed <= 0) continue;
    scaleTo(rollout, set, set.replicas - removed);
    left -= removed;
  }
}
