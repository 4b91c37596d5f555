/** Carries out what `computePodActions` decided. Source of the order: kuberuntime_manager.go SyncPod. */

import type { Container, Pod } from "../api/generated/core-v1.ts";
import { type KubeletContext, podFolders, podIpsOf } from "./context.ts";
import { containerReference, REASONS } from "./events.ts";
import { killContainer, killContainers } from "./killContainers.ts";
import { backOffUntil, goDuration, nextBackOff } from "./podLifecycle/backOff.ts";
import { computePodActions } from "./podLifecycle/computePodActions.ts";
import type { ContainerKill, PodActions } from "./podLifecycle/podActions.ts";
import { emptyRuntimePod, formatPod, latestContainer, type RuntimePod } from "./podLifecycle/runtimePod.ts";
import { pruneContainers, stopSandboxes } from "./podRemoval.ts";
import type { PodState } from "./podState.ts";
import { sandboxConfig } from "./sandboxConfig.ts";
import { StartError, startContainer } from "./startContainer.ts";
import type { MountedVolumes } from "./volumes/mountedVolumes.ts";
import { setUpVolumes, type VolumesError } from "./volumes/podVolumes.ts";

/** A failed start is tried again after this. Source: pod_workers.go backOffPeriod. */
const START_RETRY_MS = 10_000;
/** Volumes and sandboxes: doubles. Source: pkg/util/goroutinemap/exponentialbackoff initialDurationBeforeRetry. */
const SET_UP_RETRY_MIN_MS = 500;
const SET_UP_RETRY_MAX_MS = 122_000;
/** BackOff events of one container are at least this far apart. Source: as backOffPeriod, which paces upstream's. */
const BACK_OFF_EVENT_MS = 10_000;
const GRACE_DEFAULT_SECONDS = 30;

export interface PodSync {
  readonly context: KubeletContext;
  readonly state: PodState;
  /** Aborts when the pod is to end: nothing more is started. */
  readonly signal: AbortSignal;
  /** Brings the status up to date and sends it. */
  readonly publish: () => void;
  /** Asks for another look, not later than that. */
  readonly wakeAt: (atMs: number) => void;
}

const current = ({ context, state }: PodSync): RuntimePod =>
  context.cache.pod(state.pod.metadata.uid) ?? emptyRuntimePod(state.pod);

/** @returns whether another look is due at once. */
export async function syncPod(sync: PodSync): Promise<boolean> {
  const { state } = sync;
  const actions = computePodActions(state.pod, current(sync), state.probes);
  if (actions.killPod && !actions.createSandbox) {
    state.hasEnded = true;
    return true;
  }
  if (isNothing(actions)) return false;
  await Promise.all(actions.kill.map((kill) => killOne(sync, kill)));
  const starts = actions.createSandbox || countStarts(actions) > 0;
  if (!starts) return actions.kill.length > 0;
  const prepared = actions.createSandbox
    ? await sync.context.beginTurns(() => prepare(sync, actions))
    : await prepare(sync, actions);
  if (prepared === undefined || sync.signal.aborted) return false;
  return startAll(sync, actions, prepared);
}

const countStarts = ({ start, startInit, startEphemeral }: PodActions): number =>
  start.length + startInit.length + startEphemeral.length;

const isNothing = (actions: PodActions): boolean =>
  !actions.createSandbox && actions.kill.length === 0 && countStarts(actions) === 0;

/** Grace of the probe that failed, else of the pod. */
function graceMsOf({ spec }: Pod, { name, reason }: ContainerKill): number {
  const container = [...spec.containers, ...(spec.initContainers ?? [])].find((candidate) => candidate.name === name);
  const probe = reason === "StartupProbe" ? container?.startupProbe : container?.livenessProbe;
  const own =
    reason === "StartupProbe" || reason === "LivenessProbe" ? probe?.terminationGracePeriodSeconds : undefined;
  return (own ?? spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_SECONDS) * 1000;
}

async function killOne(sync: PodSync, kill: ContainerKill): Promise<void> {
  const { context, state } = sync;
  const runtimePod = current(sync);
  const status = runtimePod.containers.find(({ id }) => id === kill.containerId);
  if (status === undefined) return;
  const graceMs = graceMsOf(state.pod, kill);
  await killContainer(context, { pod: state.pod, runtimePod, graceMs, signal: sync.signal }, status, kill.message);
}

interface Prepared {
  readonly sandboxId: string;
  readonly volumes: MountedVolumes;
}

/** The sandbox and the volumes at the same time: neither needs the other. */
async function prepare(sync: PodSync, actions: PodActions): Promise<Prepared | undefined> {
  const { context, state, wakeAt } = sync;
  const [sandbox, volumes] = await Promise.allSettled([sandboxFor(sync, actions), mount(sync)]);
  if (sandbox.status === "fulfilled" && volumes.status === "fulfilled") {
    state.failures = 0;
    return { sandboxId: sandbox.value, volumes: volumes.value };
  }
  if (sandbox.status === "rejected")
    told(sync, REASONS.failedCreatePodSandBox, "Failed to create pod sandbox: ", sandbox.reason);
  if (volumes.status === "rejected") {
    for (const error of (volumes.reason as VolumesError).errors)
      told(sync, REASONS.failedMount, `MountVolume.SetUp failed for volume "${error.volumeName}" : `, error);
  }
  const delayMs = Math.min(SET_UP_RETRY_MIN_MS * 2 ** state.failures, SET_UP_RETRY_MAX_MS);
  state.failures += 1;
  wakeAt(context.env.clock.now() + delayMs);
  return undefined;
}

function told({ context, state }: PodSync, reason: string, prefix: string, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  context.env.log.info("a pod cannot be set up", { pod: formatPod(state.pod), reason, error });
  context.recorder.event({ ...state.pod, apiVersion: "v1", kind: "Pod" }, "Warning", reason, prefix + text);
}

async function sandboxFor(sync: PodSync, { createSandbox, killPod, sandboxId, attempt }: PodActions): Promise<string> {
  const { context, state } = sync;
  const { pod } = state;
  if (!createSandbox) return sandboxId ?? "";
  if (killPod) {
    const text = "Pod sandbox changed, it will be killed and re-created.";
    context.recorder.event({ ...pod, apiVersion: "v1", kind: "Pod" }, "Normal", REASONS.sandboxChanged, text);
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_SECONDS) * 1000;
    await killContainers(context, { pod, runtimePod: current(sync), graceMs, signal: sync.signal });
    await stopSandboxes(context, current(sync));
  }
  const { cluster, nodeResolvConf, nodeName, podPidsMax } = context;
  const config = sandboxConfig({ pod, attempt, cluster, nodeResolvConf, nodeName, podPidsMax });
  const status = await context.runtime.runSandbox(config);
  context.cache.setSandbox(status);
  if (status.ips.length === 0 && !config.hostNetwork) throw new Error("the sandbox was given no address");
  return status.id;
}

/** Sets up what is missing and brings what changed up to date. @throws VolumesError */
export async function mount(sync: Pick<PodSync, "context" | "state" | "wakeAt">): Promise<MountedVolumes> {
  const { context, state, wakeAt } = sync;
  const { pod } = state;
  const folders = podFolders(context, pod.metadata.uid);
  const runtimePod = context.cache.pod(pod.metadata.uid);
  const podIps = podIpsOf(context, pod, runtimePod);
  const { env, client, files, references, nodeName, nodeMemoryBytes } = context;
  const facts = { pod, podIps, hostIps: context.hostIps(), nodeName };
  const volumeContext = { env, client, files, references, pod, facts, nodeMemoryBytes, renewAt: wakeAt };
  return setUpVolumes({ ...volumeContext, allocatable: context.allocatable() }, folders, pod);
}

const findContainer = ({ spec }: Pod, name: string): Container | undefined =>
  [...(spec.initContainers ?? []), ...spec.containers].find((container) => container.name === name);

async function startAll(sync: PodSync, actions: PodActions, prepared: Prepared): Promise<boolean> {
  const { pod } = sync.state;
  let hasStarted = false;
  for (const name of actions.startEphemeral) {
    const debug = pod.spec.ephemeralContainers?.find((container) => container.name === name);
    if (debug === undefined) continue;
    const target = latestContainer(current(sync), debug.targetContainerName ?? "")?.id;
    hasStarted = (await startOne(sync, { ...debug, restartPolicy: "Never" }, prepared, target)) || hasStarted;
  }
  for (const name of [...actions.startInit, ...actions.start]) {
    if (sync.signal.aborted) return hasStarted;
    const container = findContainer(pod, name);
    if (container === undefined) continue;
    const started = await startOne(sync, container, prepared, undefined);
    hasStarted = started || hasStarted;
    // Init containers come one after the other.
    if (!started && actions.startInit.includes(name)) break;
  }
  pruneContainers(sync.context, current(sync)).catch((error: unknown) => {
    sync.context.env.log.warn("what a pod left behind could not be removed", { pod: formatPod(pod), error });
  });
  return hasStarted;
}

/** @returns whether it has been started. */
async function startOne(
  sync: PodSync,
  container: Container,
  prepared: Prepared,
  targetContainerId: string | undefined,
) {
  const { context, state, publish, wakeAt } = sync;
  const { pod } = state;
  if (isInBackOff(sync, container)) {
    publish();
    return false;
  }
  try {
    const { inPostStart } = state;
    const asked = { pod, container, runtimePod: current(sync), ...prepared, targetContainerId };
    const input = { ...asked, inPostStart, signal: sync.signal };
    await startContainer(context, input);
    state.startFailures.delete(container.name);
    return true;
  } catch (error) {
    if (sync.signal.aborted) return false;
    const { reason, message, retryAtMs } =
      error instanceof StartError
        ? error
        : { reason: "RunContainerError", message: String(error), retryAtMs: undefined };
    state.startFailures.set(container.name, { reason, message });
    wakeAt(retryAtMs ?? context.env.clock.now() + START_RETRY_MS);
    return false;
  } finally {
    publish();
  }
}

/** Counts the back-off of a crashed container on, or says that it is not over. Source: kuberuntime doBackOff. */
function isInBackOff({ context, state, wakeAt }: PodSync, container: Container): boolean {
  const { pod } = state;
  const runtimePod = context.cache.pod(pod.metadata.uid);
  const latest = runtimePod && latestContainer(runtimePod, container.name);
  if (latest?.state !== "Exited") return false;
  const key = `${container.name} ${container.image ?? ""}`;
  const entry = state.backOffs.get(key);
  const finishedAtMs = latest.finishedAtMs ?? 0;
  const nowMs = context.env.clock.now();
  const untilMs = backOffUntil(entry, finishedAtMs, nowMs);
  if (entry === undefined || untilMs === undefined) {
    state.backOffs.set(key, nextBackOff(entry, finishedAtMs, nowMs));
    return false;
  }
  const who = formatPod(pod);
  const message = `back-off ${goDuration(entry.delayMs)} restarting failed container=${container.name} pod=${who}`;
  state.startFailures.set(container.name, { reason: "CrashLoopBackOff", message });
  wakeAt(untilMs);
  const toldAtMs = state.backOffToldAtMs.get(container.name);
  if (toldAtMs !== undefined && nowMs - toldAtMs < BACK_OFF_EVENT_MS) return true;
  state.backOffToldAtMs.set(container.name, nowMs);
  const text = `Back-off restarting failed container ${container.name} in pod ${who}`;
  context.recorder.event(containerReference(pod, container.name), "Warning", REASONS.backOff, text);
  return true;
}
