/** When the change happened that endpoints follow; latencies are measured from it. Source: endpointslice util, trigger_time_tracker.go. */
import type { Pod, Service } from "../../api/generated/core-v1.ts";
import { podCondition } from "../pods/podReadiness.ts";

/** What was seen of a service the last time. */
export interface TriggerTimes {
  readonly serviceMs: number;
  readonly podMs: ReadonlyMap<string, number>;
}

export const noTriggerTimes: TriggerTimes = { serviceMs: 0, podMs: new Map() };

/** @returns the earliest of the times that are new, if any is. */
export function triggerTime(
  before: TriggerTimes,
  service: Service,
  pods: readonly Pod[],
): { readonly times: TriggerTimes; readonly triggerMs: number | undefined } {
  const changed: number[] = [];
  const podMs = new Map<string, number>();
  for (const pod of pods) {
    const transition = podCondition(pod, "Ready")?.lastTransitionTime;
    const atMs = Date.parse(transition ?? pod.metadata.creationTimestamp);
    podMs.set(pod.metadata.name, atMs);
    if (atMs > (before.podMs.get(pod.metadata.name) ?? 0)) changed.push(atMs);
  }
  const serviceMs = Date.parse(service.metadata.creationTimestamp);
  if (serviceMs > before.serviceMs) changed.push(serviceMs);
  return { times: { serviceMs, podMs }, triggerMs: changed.length === 0 ? undefined : Math.min(...changed) };
}

/** RFC 3339 with as many digits as needed. */
export const triggerTimestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.000Z$/, "Z");
