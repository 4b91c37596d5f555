import type { Pod, PodCondition } from "../../api/generated/core-v1.ts";

export const podCondition = (pod: Pod, type: string): PodCondition | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type);

/** All its containers have ended, for good. */
export const isTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Runs or will run. Source: controller_utils.go, IsPodActive. */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined;

/** Source: controller_utils.go, IsPodTerminating. */
export const isTerminating = (pod: Pod): boolean => !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;

export const isReady = (pod: Pod): boolean => podCondition(pod, "Ready")?.status === "True";

/** When it became ready; undefined where it is not. */
export function readySinceMs(pod: Pod): number | undefined {
  const condition = podCondition(pod, "Ready");
  if (condition?.status !== "True") return undefined;
  return condition.lastTransitionTime ? Date.parse(condition.lastTransitionTime) : 0;
}

/** 0: available now; undefined: not ready. Source: api/v1/pod util.go, IsPodAvailable. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const sinceMs = readySinceMs(pod);
  if (sinceMs === undefined) return undefined;
  return minReadySeconds === 0 ? 0 : Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

export const isAvailable = (pod: Pod, minReadySeconds: number, nowMs: number): boolean =>
  availableInMs(pod, minReadySeconds, nowMs) === 0;

/** The shortest time until one more of these pods is available; undefined where none is on its way. */
export function nextAvailabilityMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  const delays = pods.map((pod) => availableInMs(pod, minReadySeconds, nowMs));
  const pending = delays.filter((delay) => delay !== undefined && delay > 0) as number[];
  return pending.length === 0 ? undefined : Math.min(...pending);
}
