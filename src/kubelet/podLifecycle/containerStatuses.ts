/** The `containerStatuses` of a pod. Source: kubelet_pods.go convertToAPIContainerStatuses. */

import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  VolumeMountStatus,
} from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";
import type * as runtime from "../runtime.ts";
import type { ProbeVerdicts } from "./podActions.ts";
import { shouldContainerBeRestarted } from "./restartPolicy.ts";
import { isSidecar, latestContainer, type RuntimePod } from "./runtimePod.ts";

/** Why a container could not be started, from the last attempt: { reason: "CrashLoopBackOff", message: "back-off …" }. */
export interface StartFailure {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInput {
  readonly pod: Pod;
  readonly runtimePod: RuntimePod;
  readonly verdicts: ProbeVerdicts;
  /** By container name. */
  readonly startFailures: ReadonlyMap<string, StartFailure>;
  /** By container id: what it wrote into its termination log. */
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** Statuses as they were last known, ours or the API's. */
  readonly previous: readonly ContainerStatus[];
  /** Prefix of container ids, such as "oci". */
  readonly runtimeName: string;
}

export type ContainerRole = "init" | "regular" | "ephemeral";

/** Exit code and reason of what vanished. Source: kubelet_pods.go, ContainerReasonStatusUnknown. */
const VANISHED_EXIT_CODE = 137;
const VANISHED_REASON = "ContainerStatusUnknown";

const vanished = (when: "deleted" | "terminated"): ContainerState => ({
  terminated: {
    reason: VANISHED_REASON,
    message: `The container could not be located when the pod was ${when}.  The container used to be Running`,
    exitCode: VANISHED_EXIT_CODE,
  },
});

function terminated(input: ContainerStatusInput, status: runtime.ContainerStatus): ContainerStateTerminated {
  const written = input.terminationMessages.get(status.id);
  const message = written !== undefined && written !== "" ? written : status.message;
  return {
    exitCode: status.exitCode ?? 0,
    reason: status.reason ?? (status.exitCode === 0 ? "Completed" : "Error"),
    ...(message !== undefined && message !== "" && { message }),
    startedAt: timestamp(status.startedAtMs ?? 0),
    ...(status.finishedAtMs !== undefined && { finishedAt: timestamp(status.finishedAtMs) }),
    containerID: `${input.runtimeName}://${status.id}`,
  };
}

function stateOf(input: ContainerStatusInput, status: runtime.ContainerStatus): ContainerState {
  switch (status.state) {
    case "Running":
      return { running: { startedAt: timestamp(status.startedAtMs ?? status.createdAtMs) } };
    case "Exited":
      return { terminated: terminated(input, status) };
    case "Created":
    case "Unknown":
      return { waiting: {} };
    default:
      return status.state satisfies never;
  }
}

const mountStatuses = (container: Container): readonly VolumeMountStatus[] =>
  (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly === true && { readOnly: true, recursiveReadOnly: "Disabled" }),
  }));

type Partly = Omit<ContainerStatus, "ready" | "started">;

/** What is said of a container that the runtime does not know (any more). */
function unknownToRuntime(input: ContainerStatusInput, container: Container, waitingReason: string): Partly {
  const old = input.previous.find(({ name }) => name === container.name);
  if (old?.state?.terminated !== undefined) return old;
  const mounts = mountStatuses(container);
  const waiting: Partly = {
    name: container.name,
    image: container.image ?? "",
    imageID: "",
    restartCount: old?.restartCount ?? 0,
    state: { waiting: { reason: waitingReason } },
    lastState: old?.lastState ?? {},
    ...(mounts.length > 0 && { volumeMounts: mounts }),
  };
  if (old?.state?.running === undefined) return waiting;
  const isDeleted = input.pod.metadata.deletionTimestamp !== undefined;
  if (isDeleted) return { ...waiting, state: vanished("deleted") };
  return { ...waiting, lastState: vanished("terminated"), restartCount: waiting.restartCount + 1 };
}

function knownToRuntime(input: ContainerStatusInput, container: Container, status: runtime.ContainerStatus): Partly {
  const earlier = input.runtimePod.containers.filter(({ name }) => name === container.name)[1];
  const old = input.previous.find(({ name }) => name === container.name);
  const lastState = earlier !== undefined ? stateOf(input, earlier) : (old?.lastState ?? {});
  const { requests, limits } = container.resources ?? {};
  const mounts = mountStatuses(container);
  return {
    name: container.name,
    image: status.imageName,
    imageID: status.imageRef ?? status.imageId,
    containerID: `${input.runtimeName}://${status.id}`,
    restartCount: status.attempt,
    state: stateOf(input, status),
    lastState: lastState.terminated === undefined ? {} : lastState,
    ...(requests !== undefined && { allocatedResources: requests }),
    resources: { ...(limits !== undefined && { limits }), ...(requests !== undefined && { requests }) },
    ...(mounts.length > 0 && { volumeMounts: mounts }),
    ...(status.user !== undefined && { user: { linux: status.user } }),
  };
}

/** A container that is about to be started again, and could not be, is waiting. */
function withStartFailure(
  input: ContainerStatusInput,
  container: Container,
  role: ContainerRole,
  status: Partly,
): Partly {
  const failure = input.startFailures.get(container.name);
  if (failure === undefined) return status;
  const latest = latestContainer(input.runtimePod, container.name);
  if (role === "init" && !isSidecar(container) && latest?.state === "Exited" && latest.exitCode === 0) return status;
  if (!shouldContainerBeRestarted(input.pod, container, latest)) return status;
  const { terminated: ended } = status.state ?? {};
  return {
    ...status,
    state: { waiting: { reason: failure.reason, message: failure.message } },
    ...(ended !== undefined && { lastState: { terminated: ended } }),
  };
}

/** Source: prober_manager.go isContainerStarted: with a startup probe, only once that has succeeded. */
function isStarted(container: Container, status: Partly, verdicts: ProbeVerdicts): boolean {
  if (status.state?.running === undefined) return false;
  if (container.startupProbe === undefined) return true;
  return verdicts.startup(idOf(status)) === "Success";
}

const idOf = ({ containerID }: Partly): string => containerID?.replace(/^[^:]*:\/\//, "") ?? "";

function isReady(container: Container, role: ContainerRole, status: Partly, started: boolean, verdicts: ProbeVerdicts) {
  if (role === "ephemeral") return false;
  if (role === "init" && !isSidecar(container)) return status.state?.terminated?.exitCode === 0;
  if (!started) return false;
  return container.readinessProbe === undefined || verdicts.readiness(idOf(status)) === "Success";
}

const byName = (a: ContainerStatus, b: ContainerStatus): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Of the init containers in the spec's order, of the others by name, as the API always shows them. */
export function containerStatuses(
  input: ContainerStatusInput,
  containers: readonly Container[],
  role: ContainerRole,
): readonly ContainerStatus[] {
  const hasInit = (input.pod.spec.initContainers ?? []).length > 0;
  const waitingReason = hasInit && role !== "ephemeral" ? "PodInitializing" : "ContainerCreating";
  const statuses = containers.map((container): ContainerStatus => {
    const latest = latestContainer(input.runtimePod, container.name);
    const seen =
      latest === undefined
        ? unknownToRuntime(input, container, waitingReason)
        : knownToRuntime(input, container, latest);
    const status = withStartFailure(input, container, role, seen);
    const started = isStarted(container, status, input.verdicts);
    return {
      ...status,
      ready: isReady(container, role, status, started, input.verdicts),
      ...(role !== "ephemeral" && { started }),
    };
  });
  return role === "init" ? statuses : statuses.sort(byName);
}
