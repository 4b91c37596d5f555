/**
 * The Deployment was scaled, or is paused: sizes follow, without the rollout going on. In the middle of a rollout the
 * change is shared out in proportion, so that a risk taken stays as large as it was. Source: deployment/sync.go, scale.
 */
import { DESIRED_REPLICAS, MAX_REPLICAS } from "./deploymentNames.ts";
import { allSets, isRolling, type Rollout, type SetDraft, scaleTo, totalReplicas } from "./rollout.ts";

/** Whether `spec.replicas` has changed since the sets were last scaled. Source: isScalingEvent. */
export const isScalingEvent = (rollout: Rollout): boolean =>
  allSets(rollout).some((set) => {
    const noted = numberFrom(set.annotations[DESIRED_REPLICAS]);
    return set.replicas > 0 && noted !== undefined && noted !== rollout.desired;
  });

export function scale(rollout: Rollout): void {
  const { desired, oldSets, newSet, deployment } = rollout;
  const only = activeOrLatest(rollout);
  if (only !== undefined) {
    if (only.replicas !== desired) scaleTo(rollout, only, desired);
    return;
  }
  if (newSet !== undefined && isSaturated(rollout, newSet)) {
    for (const set of oldSets) if (set.replicas > 0) scaleTo(rollout, set, 0);
    return;
  }
  if (isRolling(deployment)) scaleInProportion(rollout);
}

/** The one set that has pods; where none has, the newest. Undefined where several have. Source: FindActiveOrLatest. */
function activeOrLatest(rollout: Rollout): SetDraft | undefined {
  const active = allSets(rollout).filter((set) => set.replicas > 0);
  if (active.length === 0) return rollout.newSet ?? rollout.oldSets.at(-1);
  return active.length === 1 ? active[0] : undefined;
}

const isSaturated = ({ desired }: Rollout, set: SetDraft): boolean =>
  set.replicas === desired &&
  numberFrom(set.annotations[DESIRED_REPLICAS]) === desired &&
  set.availableReplicas === desired;

function scaleInProportion(rollout: Rollout): void {
  const { desired, maxSurge } = rollout;
  const active = allSets(rollout).filter((set) => set.replicas > 0);
  const allowed = desired > 0 ? desired + maxSurge : 0;
  const toAdd = allowed - totalReplicas(active);
  // The largest gets the left-over; of equal ones the newer grows and the older shrinks.
  const age = (a: SetDraft, b: SetDraft) => a.createdMs - b.createdMs;
  const sorted = active.toSorted((a, b) => b.replicas - a.replicas || (toAdd > 0 ? age(b, a) : age(a, b)));
  let added = 0;
  const sizes = sorted.map((set) => {
    const share = proportionOf(rollout, set, toAdd, added);
    added += share;
    return set.replicas + share;
  });
  sorted.forEach((set, index) => {
    const leftOver = index === 0 && toAdd !== 0 ? toAdd - added : 0;
    scaleTo(rollout, set, Math.max(0, (sizes[index] as number) + leftOver));
  });
}

/** Source: GetReplicaSetProportion. */
function proportionOf(rollout: Rollout, set: SetDraft, toAdd: number, added: number): number {
  if (toAdd === 0 || toAdd === added) return 0;
  const share = fractionOf(rollout, set);
  return toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
}

/** Source: getReplicaSetFraction. */
function fractionOf({ desired, maxSurge, deployment }: Rollout, set: SetDraft): number {
  if (desired === 0) return -set.replicas;
  const before = numberFrom(set.annotations[MAX_REPLICAS]) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((set.replicas * (desired + maxSurge)) / before) - set.replicas;
}

function numberFrom(text: string | undefined): number | undefined {
  const number = Number.parseInt(text ?? "", 10);
  return Number.isNaN(number) ? undefined : number;
}
