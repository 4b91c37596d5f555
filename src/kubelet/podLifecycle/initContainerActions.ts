/** Which init containers are to be started or killed. Source of the rules: kuberuntime computeInitContainerActions. */

import type { Container, Pod } from "../../api/generated/core-v1.ts";
import type { ContainerStatus } from "../runtime.ts";
import type { ContainerKill, ProbeVerdicts } from "./podActions.ts";
import { restartsAfterExit } from "./restartPolicy.ts";
import { activeContainer, isSidecar, type RuntimePod } from "./runtimePod.ts";

export interface InitContainerActions {
  /** All have run, and the sidecars among them have started. */
  readonly isInitialized: boolean;
  /** One failed that may not be tried again. */
  readonly hasFailed: boolean;
  readonly start: readonly string[];
  readonly kill: readonly ContainerKill[];
}

interface Step {
  /** The next one may go on. */
  readonly isDone: boolean;
  readonly start?: boolean;
  readonly kill?: ContainerKill;
  readonly hasFailed?: boolean;
}

const killOf = (container: Container, { id }: ContainerStatus, why: string, reason: ContainerKill["reason"]) => ({
  containerId: id,
  name: container.name,
  message: `Init container ${container.name} ${why}`,
  reason,
});

function runningSidecar(container: Container, status: ContainerStatus, verdicts: ProbeVerdicts): Step {
  if (container.startupProbe !== undefined) {
    const startup = verdicts.startup(status.id);
    if (startup === "Failure") {
      return { isDone: false, start: true, kill: killOf(container, status, "failed startup probe", "StartupProbe") };
    }
    if (startup !== "Success") return { isDone: false };
  }
  if (container.livenessProbe !== undefined && verdicts.liveness(status.id) === "Failure") {
    return { isDone: true, start: true, kill: killOf(container, status, "failed liveness probe", "LivenessProbe") };
  }
  return { isDone: true };
}

function sidecarStep(container: Container, status: ContainerStatus | undefined, verdicts: ProbeVerdicts): Step {
  if (status === undefined || status.state === "Exited") return { isDone: false, start: true };
  if (status.state === "Running") return runningSidecar(container, status, verdicts);
  return unknownStep(container, status);
}

/** What neither runs nor has ended is killed, to be sure, and started anew. */
const unknownStep = (container: Container, status: ContainerStatus): Step => ({
  isDone: false,
  start: true,
  kill: killOf(container, status, `is in "${status.state}" state, try killing it before restart`, "Unknown"),
});

function initContainerStep(pod: Pod, container: Container, status: ContainerStatus | undefined): Step {
  if (status === undefined) return { isDone: false, start: true };
  if (status.state === "Running") return { isDone: false };
  if (status.state !== "Exited") return unknownStep(container, status);
  const exitCode = status.exitCode ?? 0;
  if (exitCode === 0) return { isDone: true };
  if (!restartsAfterExit(pod, container, exitCode)) return { isDone: false, hasFailed: true };
  return { isDone: false, start: true };
}

/** Whether one that follows has been started, so that this one must have been done once. */
const hasLaterStatus = (runtimePod: RuntimePod, later: readonly Container[]): boolean =>
  later.some(({ name }) => activeContainer(runtimePod, name) !== undefined);

/**
 * Walks the init containers in order; the first that is not done stops the walk, save that a sidecar that died later
 * holds nobody up. Once a regular container has been created only sidecars matter.
 */
export function initContainerActions(
  pod: Pod,
  runtimePod: RuntimePod,
  verdicts: ProbeVerdicts,
  hasStartedRegular: boolean,
): InitContainerActions {
  const start: string[] = [];
  const kill: ContainerKill[] = [];
  const containers = pod.spec.initContainers ?? [];
  for (const [index, container] of containers.entries()) {
    const sidecar = isSidecar(container);
    if (hasStartedRegular && !sidecar) continue;
    const status = activeContainer(runtimePod, container.name);
    const hasLater = hasStartedRegular || hasLaterStatus(runtimePod, containers.slice(index + 1));
    if (!sidecar && status === undefined && hasLater) continue;
    const step = sidecar ? sidecarStep(container, status, verdicts) : initContainerStep(pod, container, status);
    if (step.hasFailed === true) return { isInitialized: false, hasFailed: true, start: [], kill: [] };
    if (step.kill !== undefined) kill.push(step.kill);
    if (step.start === true) start.push(container.name);
    if (!step.isDone && !(sidecar && hasLater)) return { isInitialized: false, hasFailed: false, start, kill };
  }
  return { isInitialized: true, hasFailed: false, start, kill };
}
