/** Source: pkg/controller/replicaset/replica_set_utils.go, calculateStatus. */
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "../../api/generated/apps-v1.ts";
import type { Pod } from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";
import { omitZeros } from "../omitZeros.ts";
import { isActive, isAvailable, isReady, isTerminating } from "../pods/podReadiness.ts";

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
  const active = pods.filter(isActive);
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const templateLabels = Object.entries(set.spec.template?.metadata?.labels ?? {});
  const isFullyLabeled = (pod: Pod) => templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value);
  const conditions = conditionsOf({ set, failure, nowMs });
  return {
    replicas: active.length,
    ...omitZeros({
      fullyLabeledReplicas: active.filter(isFullyLabeled).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
      observedGeneration: set.metadata.generation,
    }),
    terminatingReplicas: pods.filter(isTerminating).length,
    ...(conditions.length > 0 && { conditions }),
  };
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
