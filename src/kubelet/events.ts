/** Reasons of the kubelet's events. Source: kubernetes pkg/kubelet/events/event.go. */
import type { ObjectReference, Pod } from "../api/generated/core-v1.ts";
import { referenceTo } from "../client/recorder.ts";

export type { Recorder } from "../client/recorder.ts";

export const REASONS = {
  created: "Created",
  started: "Started",
  failed: "Failed",
  killing: "Killing",
  backOff: "BackOff",
  pulling: "Pulling",
  pulled: "Pulled",
  inspectFailed: "InspectFailed",
  errImageNeverPull: "ErrImageNeverPull",
  unhealthy: "Unhealthy",
  probeWarning: "ProbeWarning",
  failedMount: "FailedMount",
  failedSync: "FailedSync",
  failedCreatePodSandBox: "FailedCreatePodSandBox",
  sandboxChanged: "SandboxChanged",
  failedPostStartHook: "FailedPostStartHook",
  failedPreStopHook: "FailedPreStopHook",
  exceededGracePeriod: "ExceededGracePeriod",
  evicted: "Evicted",
  deadlineExceeded: "DeadlineExceeded",
  nodeReady: "NodeReady",
  nodeNotReady: "NodeNotReady",
  starting: "Starting",
  rebooted: "Rebooted",
  invalidDiskCapacity: "InvalidDiskCapacity",
  nodeHasSufficientMemory: "NodeHasSufficientMemory",
  nodeHasNoDiskPressure: "NodeHasNoDiskPressure",
  nodeHasSufficientPID: "NodeHasSufficientPID",
  nodeAllocatableEnforced: "NodeAllocatableEnforced",
  failedNodeAllocatable: "FailedNodeAllocatableEnforcement",
} as const;

const pathOf = (pod: Pod, name: string): string => {
  if (pod.spec.initContainers?.some((container) => container.name === name)) return `spec.initContainers{${name}}`;
  if (pod.spec.ephemeralContainers?.some((container) => container.name === name)) {
    return `spec.ephemeralContainers{${name}}`;
  }
  return `spec.containers{${name}}`;
};

/** A pod's container as events name it. Source: container/ref.go GenerateContainerRef. */
export const containerReference = (pod: Pod, containerName: string): ObjectReference => ({
  ...referenceTo({ ...pod, apiVersion: "v1", kind: "Pod" }),
  fieldPath: pathOf(pod, containerName),
});
