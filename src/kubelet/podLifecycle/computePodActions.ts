/**
 * Decides what has to be done so that the runtime has what the pod's spec asks for. Same input, same actions.
 * Source of the rules: kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions.
 */

import type { Container, Pod } from "../../api/generated/core-v1.ts";
import type { ContainerStatus } from "../runtime.ts";
import { containerHash } from "./containerHash.ts";
import { initContainerActions } from "./initContainerActions.ts";
import type { ContainerKill, PodActions, ProbeVerdicts } from "./podActions.ts";
import { podRestartPolicy, restartsAfterExit, shouldContainerBeRestarted } from "./restartPolicy.ts";
import { activeContainer, CONTAINER_HASH_ANNOTATION, latestContainer, type RuntimePod } from "./runtimePod.ts";
import { sandboxChange } from "./sandboxChange.ts";

const NOTHING = { kill: [], startEphemeral: [], startInit: [], start: [] } as const;

/** A regular container has been made in the sandbox, so the init containers must have been through. */
const hasCreatedRegular = (pod: Pod, runtimePod: RuntimePod): boolean =>
  pod.spec.containers.some(({ name }) => activeContainer(runtimePod, name) !== undefined);

const hasSucceeded = (status: ContainerStatus | undefined): boolean =>
  status?.state === "Exited" && status.exitCode === 0;

const hasAnyRegular = (pod: Pod, runtimePod: RuntimePod): boolean =>
  pod.spec.containers.some(({ name }) => latestContainer(runtimePod, name) !== undefined);

/** The sandbox is gone, or has never been: start from the beginning, if there is anything left to run. */
function actionsWithoutSandbox(pod: Pod, runtimePod: RuntimePod): PodActions {
  const { attempt, sandboxId } = sandboxChange(pod, runtimePod);
  const base = { ...NOTHING, killPod: true, createSandbox: false, sandboxId, attempt };
  const canRestart = podRestartPolicy(pod) !== "Never" || pod.spec.containers.some(hasRestartRules);
  if (!canRestart && attempt !== 0 && runtimePod.containers.length > 0) return base;
  const start = pod.spec.containers
    .filter((container) => {
      const status = latestContainer(runtimePod, container.name);
      return !hasSucceeded(status) || restartsAfterExit(pod, container, 0);
    })
    .map(({ name }) => name);
  if (start.length === 0 && hasAnyRegular(pod, runtimePod)) return base;
  const init = pod.spec.initContainers?.[0];
  const killPod = sandboxId !== undefined;
  if (init !== undefined) return { ...base, killPod, createSandbox: true, startInit: [init.name] };
  return { ...base, killPod, createSandbox: true, start };
}

const hasRestartRules = ({ restartPolicy, restartPolicyRules }: Container): boolean =>
  restartPolicy === "Always" || restartPolicy === "OnFailure" || (restartPolicyRules ?? []).length > 0;

/** Why a running container must go; undefined: it may stay. */
function killOfRunning(
  container: Container,
  status: ContainerStatus,
  verdicts: ProbeVerdicts,
): Omit<ContainerKill, "containerId"> | undefined {
  const { name } = container;
  const hash = status.annotations[CONTAINER_HASH_ANNOTATION];
  if (hash !== undefined && hash !== containerHash(container)) {
    return { name, message: `Container ${name} definition changed`, reason: "Changed" };
  }
  if (container.livenessProbe !== undefined && verdicts.liveness(status.id) === "Failure") {
    return { name, message: `Container ${name} failed liveness probe`, reason: "LivenessProbe" };
  }
  if (container.startupProbe !== undefined && verdicts.startup(status.id) === "Failure") {
    return { name, message: `Container ${name} failed startup probe`, reason: "StartupProbe" };
  }
  return undefined;
}

interface RegularActions {
  readonly kill: readonly ContainerKill[];
  readonly start: readonly string[];
  /** How many run and may stay. */
  readonly keepCount: number;
}

function regularContainerActions(pod: Pod, runtimePod: RuntimePod, verdicts: ProbeVerdicts): RegularActions {
  const kill: ContainerKill[] = [];
  const start: string[] = [];
  let keepCount = 0;
  for (const container of pod.spec.containers) {
    const status = activeContainer(runtimePod, container.name);
    if (status?.state !== "Running") {
      if (!shouldContainerBeRestarted(pod, container, status)) continue;
      start.push(container.name);
      if (status?.state === "Unknown") {
        const message = `Container is in "Unknown" state, try killing it before restart`;
        kill.push({ containerId: status.id, name: container.name, message, reason: "Unknown" });
      }
      continue;
    }
    const why = killOfRunning(container, status, verdicts);
    if (why === undefined) {
      keepCount += 1;
      continue;
    }
    // A killed container ends with a code that is not 0, and one whose definition changed is started in any case.
    const restarts = why.reason === "Changed" || restartsAfterExit(pod, container, 137);
    if (restarts) start.push(container.name);
    kill.push({ ...why, containerId: status.id, message: `${why.message}${restarts ? ", will be restarted" : ""}` });
  }
  return { kill, start, keepCount };
}

const ephemeralToStart = (pod: Pod, runtimePod: RuntimePod): readonly string[] =>
  (pod.spec.ephemeralContainers ?? [])
    .filter(({ name }) => latestContainer(runtimePod, name) === undefined)
    .map(({ name }) => name);

/** The pod is meant to run: what is missing, and what is too much? */
export function computePodActions(pod: Pod, runtimePod: RuntimePod, verdicts: ProbeVerdicts): PodActions {
  const { isNeeded, attempt, sandboxId } = sandboxChange(pod, runtimePod);
  if (isNeeded) return actionsWithoutSandbox(pod, runtimePod);
  const base = { ...NOTHING, killPod: false, createSandbox: false, sandboxId, attempt };
  const startEphemeral = ephemeralToStart(pod, runtimePod);
  const init = initContainerActions(pod, runtimePod, verdicts, hasCreatedRegular(pod, runtimePod));
  if (init.hasFailed) return { ...base, killPod: true };
  if (!init.isInitialized) return { ...base, startEphemeral, startInit: init.start, kill: init.kill };
  const regular = regularContainerActions(pod, runtimePod, verdicts);
  // Sidecars alone do not keep a pod alive.
  if (regular.keepCount === 0 && regular.start.length === 0) return { ...base, killPod: true, kill: regular.kill };
  return {
    ...base,
    startEphemeral,
    startInit: init.start,
    kill: [...init.kill, ...regular.kill],
    start: regular.start,
  };
}
