/** Source: pkg/controller/replicaset/replica_set_utils.go, calculateStatus. */
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "../../api/generated/apps-v1.ts";
import type { Pod } from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";
import { omitZeros } from "../omitZeros.ts";
import { availableInMs, isTerminal } from "../pods/podReadiness.ts";

export interface ReplicaFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

export interface StatusInput {
  readonly set: ReplicaSet;
  readonly pods: readonly Pod[];
  readonly failure: ReplicaFailure | undefined;
  readonly nowMs: number;
}

export function replicaSetStatus({ set, pods, failure, nowMs }: StatusInput): ReplicaSetStatus {
  const counts = countsOf(set, pods, nowMs);
  const conditions = conditionsOf({ set, failure, nowMs });
  return {
    replicas: counts.active,
    ...omitZeros({
      fullyLabeledReplicas: counts.fullyLabeled,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      observedGeneration: set.metadata.generation,
    }),
    terminatingReplicas: counts.terminating,
    ...(conditions.length > 0 && { conditions }),
  };
}

/** In one pass, since a set of thousands is counted at every event of one of its pods. */
function countsOf({ spec }: ReplicaSet, pods: readonly Pod[], nowMs: number) {
  const minReadySeconds = spec.minReadySeconds ?? 0;
  const templateLabels = Object.entries(spec.template?.metadata?.labels ?? {});
  const counts = { active: 0, fullyLabeled: 0, ready: 0, available: 0, terminating: 0 };
  for (const pod of pods) {
    if (isTerminal(pod)) continue;
    if (pod.metadata.deletionTimestamp !== undefined) {
      counts.terminating++;
      continue;
    }
    counts.active++;
    const { labels } = pod.metadata;
    if (templateLabels.every(([key, value]) => labels?.[key] === value)) counts.fullyLabeled++;
    const delayMs = availableInMs(pod, minReadySeconds, nowMs);
    if (delayMs === undefined) continue;
    counts.ready++;
    if (delayMs === 0) counts.available++;
  }
  return counts;
}

/** A condition that is there stays as it is until pods can be made again. */
function conditionsOf({ set, failure, nowMs }: Omit<StatusInput, "pods">): readonly ReplicaSetCondition[] {
  const conditions = set.status?.conditions ?? [];
  const present = conditions.find(({ type }) => type === "ReplicaFailure");
  if (failure === undefined) return present === undefined ? conditions : conditions.filter((c) => c !== present);
  if (present !== undefined) return conditions;
  const { reason, message } = failure;
  const lastTransitionTime = timestamp(nowMs);
  return [...conditions, { type: "ReplicaFailure", status: "True", lastTransitionTime, reason, message }];
}
