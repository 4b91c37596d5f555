/**
 * The sets of one Deployment while a plan is being made: what they are, and what the plan has made of them so far.
 * Planning changes only these drafts; what differs at the end becomes actions.
 */
import type { Deployment, ReplicaSet } from "../../api/generated/apps-v1.ts";
import { rollingLimits } from "../rollingLimits.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS } from "./deploymentNames.ts";

export interface SetDraft {
  /** As observed; undefined where the plan makes it. */
  readonly observed: ReplicaSet | undefined;
  readonly name: string;
  readonly createdMs: number;
  /** Pods that it has and that are available, as its own controller last said. */
  readonly statusReplicas: number;
  readonly availableReplicas: number;
  replicas: number;
  annotations: Readonly<Record<string, string>>;
  minReadySeconds: number;
}

export interface Rollout {
  readonly deployment: Deployment;
  readonly desired: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
  /** All but the new one, oldest first. */
  readonly oldSets: readonly SetDraft[];
  readonly newSet: SetDraft | undefined;
}

export const draftOf = (set: ReplicaSet): SetDraft => ({
  observed: set,
  name: set.metadata.name,
  createdMs: Date.parse(set.metadata.creationTimestamp),
  statusReplicas: set.status?.replicas ?? 0,
  availableReplicas: set.status?.availableReplicas ?? 0,
  replicas: set.spec.replicas ?? 1,
  annotations: set.metadata.annotations ?? {},
  minReadySeconds: set.spec.minReadySeconds ?? 0,
});

export const isRolling = (deployment: Deployment): boolean => deployment.spec.strategy?.type !== "Recreate";

/** Limits apply to rolling updates only, and none may be unavailable of nothing. Source: MaxSurge, MaxUnavailable. */
export function limitsOf(deployment: Deployment) {
  const desired = deployment.spec.replicas ?? 1;
  if (!isRolling(deployment)) return { desired, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge, maxUnavailable } = rollingLimits(deployment.spec.strategy?.rollingUpdate, desired);
  return { desired, maxSurge, maxUnavailable: Math.min(maxUnavailable, desired) };
}

export const allSets = ({ oldSets, newSet }: Rollout): readonly SetDraft[] =>
  newSet === undefined ? oldSets : [...oldSets, newSet];

export const totalReplicas = (sets: readonly SetDraft[]): number => sets.reduce((sum, set) => sum + set.replicas, 0);

/** Scales a set, and notes on it what the Deployment wanted then. @returns whether anything changed. */
export function scaleTo(rollout: Rollout, set: SetDraft, replicas: number): boolean {
  const annotations = withReplicaAnnotations(rollout, set.annotations);
  if (set.replicas === replicas && annotations === set.annotations) return false;
  set.replicas = replicas;
  set.annotations = annotations;
  return true;
}

/** Source: SetReplicasAnnotations. The same object where nothing changes. */
export function withReplicaAnnotations(
  { desired, maxSurge }: Pick<Rollout, "desired" | "maxSurge">,
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const wanted = { [DESIRED_REPLICAS]: `${desired}`, [MAX_REPLICAS]: `${desired + maxSurge}` };
  const isSame = Object.entries(wanted).every(([key, value]) => annotations[key] === value);
  return isSame ? annotations : { ...annotations, ...wanted };
}

/** How many pods the new set may have now. Source: NewRSNewReplicas. */
export function newSetReplicas(rollout: Rollout, current: number, total: number): number {
  const { deployment, desired, maxSurge } = rollout;
  if (!isRolling(deployment)) return desired;
  const room = desired + maxSurge - total;
  return room <= 0 ? current : current + Math.min(room, desired - current);
}
