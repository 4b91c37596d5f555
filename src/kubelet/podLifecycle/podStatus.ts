/** The status of a pod as the API shows it. Source: kubelet_pods.go generateAPIPodStatus. */

import type { EphemeralContainer, Pod, PodStatus } from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";
import { containerStatuses, type StartFailure } from "./containerStatuses.ts";
import type { ProbeVerdicts } from "./podActions.ts";
import { podConditions } from "./podConditions.ts";
import { podPhase } from "./podPhase.ts";
import { qosClassOf } from "./qosClass.ts";
import { isTerminalPhase } from "./restartPolicy.ts";
import { isAlive, type RuntimePod } from "./runtimePod.ts";

/** A verdict about the whole pod: rejected by admission, evicted, out of time. */
export interface PodVerdict {
  readonly phase: "Failed";
  readonly reason: string;
  readonly message: string;
  /** It never came to run here, so that there is nothing to tell of containers. */
  readonly isRejection?: boolean;
}

export interface PodStatusInput {
  readonly pod: Pod;
  readonly runtimePod: RuntimePod;
  readonly verdicts: ProbeVerdicts;
  readonly startFailures: ReadonlyMap<string, StartFailure>;
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** The status last made or, after a restart, the API's. */
  readonly previous: PodStatus | undefined;
  readonly runtimeName: string;
  readonly hostIps: readonly string[];
  readonly nowMs: number;
  /** Nothing runs any more, nor will. */
  readonly isOver: boolean;
  readonly verdict: PodVerdict | undefined;
}

function podIps({ pod, runtimePod, previous, hostIps }: PodStatusInput): readonly string[] {
  if (pod.spec.hostNetwork === true) return runtimePod.sandboxes.length > 0 ? hostIps : [];
  const ips = runtimePod.sandboxes[0]?.ips ?? [];
  if (ips.length > 0) return ips;
  return (previous?.podIPs ?? []).map(({ ip }) => ip);
}

/**
 * A phase that is final stays, and comes only when nothing runs any more: who sees a pod Succeeded or Failed may rely on
 * that. Source: status_manager.go mergePodStatus.
 */
function phaseOf(input: PodStatusInput, statuses: Parameters<typeof podPhase>[1]): string {
  const before = input.previous?.phase ?? "Pending";
  if (isTerminalPhase(before)) return before;
  const phase = input.verdict?.phase ?? podPhase(input.pod, statuses, input.isOver);
  const isHeldBack = isTerminalPhase(phase) && input.runtimePod.containers.some(isAlive);
  return isHeldBack ? before : phase;
}

const asContainers = (ephemeral: readonly EphemeralContainer[] | undefined) =>
  (ephemeral ?? []).map((container) => ({ ...container, restartPolicy: "Never" }));

/** Source: kubelet.go rejectPod. */
const rejected = (
  { metadata, ...pod }: Pod,
  { reason, message, startTime }: Pick<PodStatus, "reason" | "message" | "startTime">,
): PodStatus => ({
  ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  phase: "Failed",
  ...(reason !== undefined && { reason }),
  ...(message !== undefined && { message }),
  ...(startTime !== undefined && { startTime }),
  qosClass: qosClassOf({ metadata, ...pod }),
});

/** As an earlier run of the kubelet has left it. */
const wasRejected = ({ runtimePod }: PodStatusInput, previous: PodStatus | undefined): boolean =>
  previous?.phase === "Failed" && previous.containerStatuses === undefined && runtimePod.containers.length === 0;

export function podStatus(given: PodStatusInput): PodStatus {
  const previous = given.previous ?? given.pod.status;
  if (given.verdict?.isRejection === true)
    return rejected(given.pod, { ...given.verdict, startTime: previous?.startTime ?? timestamp(given.nowMs) });
  if (previous !== undefined && wasRejected(given, previous)) return rejected(given.pod, previous);
  const input = { ...given, previous };
  const { pod, verdict, hostIps } = input;
  const init = containerStatuses(
    { ...input, previous: previous?.initContainerStatuses ?? [] },
    pod.spec.initContainers ?? [],
    "init",
  );
  const regular = containerStatuses(
    { ...input, previous: previous?.containerStatuses ?? [] },
    pod.spec.containers,
    "regular",
  );
  const ephemeral = containerStatuses(
    { ...input, previous: previous?.ephemeralContainerStatuses ?? [] },
    asContainers(pod.spec.ephemeralContainers),
    "ephemeral",
  );
  const phase = phaseOf(input, { initContainerStatuses: init, containerStatuses: regular });
  const ips = podIps(input);
  const told = isTerminalPhase(phase) ? verdict : undefined;
  const reason = told?.reason ?? previous?.reason;
  const message = told?.message ?? previous?.message;
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: podConditions({
      ...input,
      phase,
      initContainerStatuses: init,
      containerStatuses: regular,
      previous: [...(previous?.conditions ?? []), ...(pod.status?.conditions ?? [])],
    }),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(hostIps[0] !== undefined && { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(ips[0] !== undefined && { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    startTime: previous?.startTime ?? pod.status?.startTime ?? timestamp(input.nowMs),
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: regular,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClassOf(pod),
  };
}
