import type { ContainerStatus, Pod, PodStatus } from "../../api/generated/core-v1.ts";
import { podRestartPolicy, restartsAfterExit } from "./restartPolicy.ts";
import { isSidecar } from "./runtimePod.ts";

type Statuses = Pick<PodStatus, "initContainerStatuses" | "containerStatuses">;

const find = (statuses: readonly ContainerStatus[] | undefined, name: string): ContainerStatus | undefined =>
  statuses?.find((status) => status.name === name);

/** A regular container runs or has run. Source: kubecontainer.HasAnyRegularContainerStarted. */
export const hasAnyRegularStarted = (pod: Pod, statuses: readonly ContainerStatus[] | undefined): boolean =>
  pod.spec.containers.some(({ name }) => {
    const status = find(statuses, name);
    return status?.state?.running !== undefined || status?.state?.terminated !== undefined;
  });

interface InitCounts {
  readonly pending: number;
  readonly pendingSidecars: number;
  readonly hasFailed: boolean;
}

function countInit(pod: Pod, { initContainerStatuses }: Statuses): InitCounts {
  let pending = 0;
  let pendingSidecars = 0;
  let hasFailed = false;
  for (const container of pod.spec.initContainers ?? []) {
    const status = find(initContainerStatuses, container.name);
    if (isSidecar(container)) {
      if (status?.state?.running === undefined || status.started !== true) pendingSidecars += 1;
      continue;
    }
    const ended = status?.state?.terminated ?? (status?.state?.waiting && status.lastState?.terminated);
    if (ended?.exitCode === 0) continue;
    pending += 1;
    const canRetry = ended === undefined || restartsAfterExit(pod, container, ended.exitCode);
    if (status?.state?.terminated !== undefined && !canRetry) hasFailed = true;
  }
  return { pending, pendingSidecars, hasFailed };
}

interface RegularCounts {
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
  unknown: number;
  restartable: number;
}

function countRegular(pod: Pod, { containerStatuses }: Statuses): RegularCounts {
  const counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0, restartable: 0 };
  for (const container of pod.spec.containers) {
    const status = find(containerStatuses, container.name);
    const { running, waiting, terminated } = status?.state ?? {};
    if (running !== undefined) counts.running += 1;
    else if (terminated !== undefined) {
      counts.stopped += 1;
      if (terminated.exitCode === 0) counts.succeeded += 1;
      if (restartsAfterExit(pod, container, terminated.exitCode)) counts.restartable += 1;
    } else if (waiting === undefined) counts.unknown += 1;
    else if (status?.lastState?.terminated !== undefined) {
      counts.stopped += 1;
      counts.restartable += 1;
    } else counts.waiting += 1;
  }
  return counts;
}

/**
 * The phase that follows from the containers' states. Source: kubelet_pods.go getPhase.
 * @param isOver no container runs any more, nor will: a pod that is being deleted ends as Succeeded or Failed.
 */
export function podPhase(pod: Pod, statuses: Statuses, isOver: boolean): string {
  const init = countInit(pod, statuses);
  if (init.hasFailed) return "Failed";
  const counts = countRegular(pod, statuses);
  const hasStarted = hasAnyRegularStarted(pod, statuses.containerStatuses) || counts.stopped > 0;
  if ((init.pending > 0 || init.pendingSidecars > 0) && !hasStarted) return isOver ? "Failed" : "Pending";
  if (counts.waiting > 0) return isOver && counts.running === 0 ? "Failed" : "Pending";
  if (counts.unknown > 0) return "Pending";
  if (counts.running > 0) return "Running";
  if (counts.stopped === 0) return "Pending";
  if (isOver) return counts.stopped === counts.succeeded ? "Succeeded" : "Failed";
  if (podRestartPolicy(pod) === "Always" || counts.restartable > 0) return "Running";
  return counts.stopped === counts.succeeded ? "Succeeded" : "Failed";
}
