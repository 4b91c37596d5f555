/** Starts one container: image, configuration, create, start, postStart. Source: kuberuntime_container.go. */
import type { Container, Pod } from "../api/generated/core-v1.ts";
import { containerConfig } from "./containerConfig.ts";
import { type KubeletContext, podFolders, podIpsOf, podLogDirectory } from "./context.ts";
import { checkRunAsNonRoot } from "./environment/containerSecurity.ts";
import { ContainerConfigError, containerEnvironment } from "./environment/environment.ts";
import { readEnvironmentSources } from "./environmentSources.ts";
import { etcHostsMount } from "./etcHosts.ts";
import { containerReference, REASONS } from "./events.ts";
import { ImageError } from "./imagePuller.ts";
import { runHook } from "./lifecycleHooks.ts";
import { latestContainer, podIdentity, type RuntimePod } from "./podLifecycle/runtimePod.ts";
import { pullCredentials } from "./pullCredentials.ts";
import { type ContainerMount, type ImageStatus, RuntimeError } from "./runtime.ts";
import { containerMounts } from "./volumes/containerMounts.ts";
import type { MountedVolumes } from "./volumes/mountedVolumes.ts";

/** What went wrong, as the container's waiting state tells it. */
export class StartError extends Error {
  readonly reason: string;
  readonly retryAtMs: number | undefined;
  constructor(reason: string, message: string, options: { cause?: unknown; retryAtMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = "StartError";
    this.reason = reason;
    this.retryAtMs = options.retryAtMs;
  }
}

export interface StartInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly runtimePod: RuntimePod;
  readonly sandboxId: string;
  readonly volumes: MountedVolumes;
  /** Aborts waiting for an image or a hook. */
  readonly signal: AbortSignal;
  /** Where a debug container looks. */
  readonly targetContainerId: string | undefined;
  /** Holds its id from before it runs until its postStart hook has ended. */
  readonly inPostStart: Set<string>;
}

/** Stops waiting, not the work itself, when the pod is to end. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw signal.reason;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => undefined);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The number of this attempt: what the runtime has, or what the API remembers, plus one. */
export function nextAttempt(pod: Pod, runtimePod: RuntimePod, name: string): number {
  const latest = latestContainer(runtimePod, name);
  if (latest !== undefined) return latest.attempt + 1;
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const known = [...containerStatuses, ...initContainerStatuses].find((status) => status.name === name);
  if (known === undefined) return 0;
  const hasRun = known.state?.terminated !== undefined || known.state?.running !== undefined;
  return hasRun ? known.restartCount + 1 : known.restartCount;
}

async function image(context: KubeletContext, { pod, container, signal }: StartInput): Promise<ImageStatus> {
  try {
    const ensured = context.images.ensure(pod, container, () =>
      pullCredentials(context.references, context.recorder, pod),
    );
    return await orAborted(ensured, signal);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const reference = containerReference(pod, container.name);
    context.recorder.event(reference, "Warning", REASONS.failed, `Error: ${error.reason}`);
    throw new StartError(error.reason, error.message, {
      cause: error,
      ...(error.retryAtMs !== undefined && { retryAtMs: error.retryAtMs }),
    });
  }
}

/** Where the container writes why it ended; a file of the node, mounted into it. */
async function terminationLog(context: KubeletContext, { pod, container }: StartInput, attempt: number) {
  const path = container.terminationMessagePath ?? "";
  if (path === "") return { hostPath: "", mounts: [] as readonly ContainerMount[] };
  const folder = podFolders(context, pod.metadata.uid).memory;
  const hostPath = `${folder}/termination-log-${container.name}-${attempt}`;
  await context.files.makeDirectory(folder, { mode: 0o711 });
  await context.files.write(hostPath, "", { mode: 0o666 });
  return { hostPath, mounts: [{ hostPath, containerPath: path, readOnly: false }] };
}

async function configure(context: KubeletContext, input: StartInput, attempt: number, status: ImageStatus) {
  const { pod, container, runtimePod, sandboxId } = input;
  checkRunAsNonRoot(pod, container, status);
  const identity = podIdentity(pod);
  const logFolder = `${podLogDirectory(context, identity)}/${container.name}`;
  const [sources, log] = await Promise.all([
    readEnvironmentSources(context.references, pod, container),
    terminationLog(context, input, attempt),
    context.files.makeDirectory(logFolder, { mode: 0o755 }),
  ]);
  const podIps = podIpsOf(context, pod, runtimePod);
  const environment = containerEnvironment({
    pod,
    container,
    podIps,
    hostIps: context.hostIps(),
    nodeName: context.nodeName,
    services: context.services(),
    allocatable: context.allocatable(),
    ...sources,
  });
  const mounts = await containerMounts(context.files, input.volumes, pod, container, environment);
  const hosts = await etcHostsMount(context, pod, podIps, mounts);
  return containerConfig({
    pod,
    container,
    sandboxId,
    attempt,
    image: status,
    environment,
    mounts: [...mounts, ...hosts, ...log.mounts],
    logPath: `${logFolder}/${attempt}.log`,
    terminationMessageHostPath: log.hostPath,
    nodeMemoryBytes: context.nodeMemoryBytes,
    podPidsMax: context.podPidsMax,
    ...(input.targetContainerId !== undefined && { targetContainerId: input.targetContainerId }),
  });
}

/** Runs a step, whose failure becomes an event and the container's waiting state. */
async function step<T>(context: KubeletContext, { pod, container }: StartInput, reason: string, run: () => Promise<T>) {
  try {
    return await run();
  } catch (error) {
    const waits = error instanceof ContainerConfigError ? error.reason : reason;
    const message = textOf(error);
    context.recorder.event(containerReference(pod, container.name), "Warning", REASONS.failed, `Error: ${message}`);
    throw new StartError(waits, message, { cause: error });
  }
}

/** @throws StartError */
export async function startContainer(context: KubeletContext, input: StartInput): Promise<void> {
  const { pod, container, runtimePod, sandboxId } = input;
  const { runtime, cache, recorder } = context;
  const status = await image(context, input);
  const attempt = nextAttempt(pod, runtimePod, container.name);
  const config = await step(context, input, "CreateContainerConfigError", () =>
    configure(context, input, attempt, status),
  );
  const reference = containerReference(pod, container.name);
  const id = await step(context, input, "CreateContainerError", () => runtime.createContainer(config));
  recorder.event(reference, "Normal", REASONS.created, "Container created");
  if (container.lifecycle?.postStart !== undefined) input.inPostStart.add(id);
  try {
    await run(context, input, id);
    recorder.event(reference, "Normal", REASONS.started, "Container started");
    await cache.refresh(id, sandboxId);
    await postStart(context, input, id);
  } finally {
    input.inPostStart.delete(id);
  }
}

async function run(context: KubeletContext, input: StartInput, id: string): Promise<void> {
  try {
    await step(context, input, "RunContainerError", () => context.runtime.startContainer(id));
  } catch (error) {
    await context.cache.refresh(id, input.sandboxId);
    const cause = error instanceof StartError ? error.cause : undefined;
    if (cause instanceof RuntimeError && cause.reason !== "")
      throw new StartError(cause.reason, cause.message, { cause });
    throw error;
  }
}

async function postStart(context: KubeletContext, { pod, container, runtimePod, signal }: StartInput, id: string) {
  const hook = container.lifecycle?.postStart;
  if (hook === undefined) return;
  try {
    const target = { pod, container, containerId: id, podIps: podIpsOf(context, pod, runtimePod) };
    await orAborted(runHook(context, target, hook, undefined, signal), signal);
  } catch (error) {
    if (signal.aborted) return;
    const reference = containerReference(pod, container.name);
    context.recorder.event(reference, "Warning", REASONS.failedPostStartHook, `PostStartHook failed`);
    context.recorder.event(reference, "Normal", REASONS.killing, "FailedPostStartHook");
    await context.runtime.stopContainer(id, (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
    throw new StartError("PostStartHookError", textOf(error), { cause: error });
  }
}
