/** Source: pkg/controller/deployment/progress.go and sync.go, calculateStatus. */
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../api/generated/apps-v1.ts";
import { timestamp } from "../../machinery/object.ts";
import { omitZeros } from "../omitZeros.ts";
import type { Rollout } from "./rollout.ts";

/** A deadline of this many seconds is none. Source: HasProgressDeadline. */
const NO_DEADLINE = 2 ** 31 - 1;

export type Conditions = readonly DeploymentCondition[];
type NewCondition = Pick<DeploymentCondition, "type" | "status" | "reason" | "message">;

export const conditionOf = (conditions: Conditions | undefined, type: string): DeploymentCondition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** Seconds; undefined where there is none. */
export const progressDeadline = ({ spec }: Deployment): number | undefined =>
  spec.progressDeadlineSeconds === NO_DEADLINE ? undefined : spec.progressDeadlineSeconds;

const without = (conditions: Conditions, type: string): Conditions => conditions.filter((c) => c.type !== type);

/** One that says the same already stays; the time of transition moves only with the status. */
export function withCondition(conditions: Conditions, next: NewCondition, nowMs: number): Conditions {
  const present = conditionOf(conditions, next.type);
  if (present?.status === next.status && present.reason === next.reason) return conditions;
  const now = timestamp(nowMs);
  const lastTransitionTime = present?.status === next.status ? present.lastTransitionTime : now;
  return [...without(conditions, next.type), { ...next, lastUpdateTime: now, lastTransitionTime }];
}

/** Counts and availability, as all sets together show them. */
export function baseStatus(rollout: Rollout, conditions: Conditions, nowMs: number): DeploymentStatus {
  const { deployment, newSet, oldSets, desired, maxUnavailable } = rollout;
  const drafts = newSet === undefined ? oldSets : [...oldSets, newSet];
  const sets = drafts.map((draft) => draft.observed).filter((set) => set !== undefined);
  const sum = (count: (set: ReplicaSet) => number | undefined) =>
    sets.reduce((total, set) => total + (count(set) ?? 0), 0);
  const available = sum((set) => set.status?.availableReplicas);
  const wanted = drafts.reduce((total, draft) => total + (draft.observed?.spec.replicas ?? draft.replicas), 0);
  const isTerminatingKnown = sets.every((set) => set.status?.terminatingReplicas !== undefined);
  const { collisionCount } = deployment.status ?? {};
  return {
    ...omitZeros({
      observedGeneration: deployment.metadata.generation,
      replicas: sum((set) => set.status?.replicas),
      updatedReplicas: newSet?.observed?.status?.replicas,
      readyReplicas: sum((set) => set.status?.readyReplicas),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, wanted - available),
    }),
    ...(isTerminatingKnown && { terminatingReplicas: sum((set) => set.status?.terminatingReplicas) }),
    ...(collisionCount !== undefined && { collisionCount }),
    conditions: withCondition(conditions, availability(available >= desired - maxUnavailable), nowMs),
  };
}

const availability = (isMinimumAvailable: boolean): NewCondition =>
  isMinimumAvailable
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };

/** As `baseStatus`, and how the rollout gets on. Source: syncRolloutStatus. */
export function rolloutStatus(rollout: Rollout, conditions: Conditions, nowMs: number): DeploymentStatus {
  const base = baseStatus(rollout, conditions, nowMs);
  const progressed = progressConditions(rollout, base, conditions, nowMs);
  return { ...base, conditions: withReplicaFailure(progressed, rollout) };
}

function progressConditions(rollout: Rollout, status: DeploymentStatus, before: Conditions, nowMs: number): Conditions {
  const { deployment, newSet } = rollout;
  const conditions = status.conditions ?? [];
  if (progressDeadline(deployment) === undefined) return without(conditions, "Progressing");
  const current = conditionOf(before, "Progressing");
  const isOver = status.replicas === status.updatedReplicas && current?.reason === "NewReplicaSetAvailable";
  if (isOver) return conditions;
  const subject = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.name}"`;
  const say = (isTrue: boolean, reason: string, what: string): NewCondition => ({
    type: "Progressing",
    status: isTrue ? "True" : "False",
    reason,
    message: `${subject} has ${what}.`,
  });
  if (isComplete(deployment, status)) {
    return withCondition(conditions, say(true, "NewReplicaSetAvailable", "successfully progressed"), nowMs);
  }
  if (isProgressing(deployment.status, status)) {
    const next = { ...say(true, "ReplicaSetUpdated", ""), message: `${subject} is progressing.` };
    // The time of update is what the deadline counts from, so it moves although nothing else does.
    const now = timestamp(nowMs);
    const lastTransitionTime = current?.status === "True" ? current.lastTransitionTime : now;
    return [...without(conditions, "Progressing"), { ...next, lastUpdateTime: now, lastTransitionTime }];
  }
  if (isTimedOut(deployment, conditions, nowMs)) {
    return withCondition(conditions, say(false, "ProgressDeadlineExceeded", "timed out progressing"), nowMs);
  }
  return conditions;
}

/** Source: DeploymentComplete. */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus | undefined): boolean {
  const desired = spec.replicas ?? 1;
  const counts = [status?.updatedReplicas, status?.replicas, status?.availableReplicas];
  return (
    counts.every((count) => (count ?? 0) === desired) && (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/** Source: DeploymentProgressing. */
function isProgressing(before: DeploymentStatus | undefined, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus | undefined) => (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  const hasGrown = (count: "updatedReplicas" | "readyReplicas" | "availableReplicas") =>
    (after[count] ?? 0) > (before?.[count] ?? 0);
  return (
    hasGrown("updatedReplicas") ||
    old(after) < old(before) ||
    hasGrown("readyReplicas") ||
    hasGrown("availableReplicas")
  );
}

/** Source: DeploymentTimedOut. */
function isTimedOut(deployment: Deployment, conditions: Conditions, nowMs: number): boolean {
  const condition = conditionOf(conditions, "Progressing");
  if (condition === undefined || condition.reason === "NewReplicaSetAvailable") return false;
  if (condition.reason === "ProgressDeadlineExceeded") return true;
  return deadlineMs(deployment, condition) < nowMs;
}

const deadlineMs = (deployment: Deployment, { lastUpdateTime }: DeploymentCondition): number =>
  Date.parse(lastUpdateTime ?? "") + (progressDeadline(deployment) ?? 0) * 1000;

/** When to look again whether the deadline has passed. Source: requeueStuckDeployment. */
export function deadlineCheckMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = conditionOf(status.conditions, "Progressing");
  if (condition === undefined || progressDeadline(deployment) === undefined || deployment.spec.paused === true) {
    return undefined;
  }
  if (isComplete(deployment, status) || condition.reason === "ProgressDeadlineExceeded") return undefined;
  return Math.max(0, deadlineMs(deployment, condition) - nowMs) + 1000;
}

/** The new set's failure comes before those of old ones. Source: getReplicaFailures. */
function withReplicaFailure(conditions: Conditions, { newSet, oldSets }: Rollout): Conditions {
  const others = without(conditions, "ReplicaFailure");
  for (const draft of newSet === undefined ? oldSets : [newSet, ...oldSets]) {
    const failure = draft.observed?.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
    if (failure === undefined) continue;
    const { type, status, reason, message, lastTransitionTime } = failure;
    return [...others, { type, status, reason, message, lastTransitionTime, lastUpdateTime: lastTransitionTime }];
  }
  return others;
}

/** Pausing stops the deadline's clock, and resuming starts it anew. Source: checkPausedConditions. */
export function pausedConditions(deployment: Deployment, nowMs: number): Conditions {
  const conditions = deployment.status?.conditions ?? [];
  if (progressDeadline(deployment) === undefined) return conditions;
  const reason = conditionOf(conditions, "Progressing")?.reason;
  if (reason === "ProgressDeadlineExceeded") return conditions;
  const isPaused = deployment.spec.paused === true;
  if (isPaused === (reason === "DeploymentPaused")) return conditions;
  const next = isPaused
    ? { reason: "DeploymentPaused", message: "Deployment is paused" }
    : { reason: "DeploymentResumed", message: "Deployment is resumed" };
  return withCondition(conditions, { type: "Progressing", status: "Unknown", ...next }, nowMs);
}
