/**
 * Ends the containers of a pod: all regular ones at the same time, each by its preStop hook, SIGTERM, the grace period
 * and SIGKILL; then the sidecars, the last one first. Source: kuberuntime_container.go killContainer,
 * kuberuntime_termination_order.go.
 */
import type { Container, Pod } from "../api/generated/core-v1.ts";
import { type KubeletContext, podIpsOf } from "./context.ts";
import { containerReference, REASONS } from "./events.ts";
import { runHook } from "./lifecycleHooks.ts";
import { isSidecar, type RuntimePod } from "./podLifecycle/runtimePod.ts";
import type { ContainerStatus } from "./runtime.ts";

/** Every container is given at least this long. Source: kuberuntime minimumGracePeriodInSeconds. */
const GRACE_MIN_MS = 2000;

export interface Kill {
  readonly pod: Pod;
  readonly runtimePod: RuntimePod;
  readonly graceMs: number;
  /** Aborts hooks and waiting, because a shorter kill takes over. */
  readonly signal?: AbortSignal;
}

const findContainer = ({ spec }: Pod, name: string): Container | undefined =>
  [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].find(
    (container) => container.name === name,
  );

/** @returns what is left of the grace period. */
async function preStop(context: KubeletContext, kill: Kill, container: Container, id: string, graceMs: number) {
  const hook = container.lifecycle?.preStop;
  if (hook === undefined || graceMs <= 0) return graceMs;
  const { env, recorder } = context;
  const startedAtMs = env.clock.monotonic();
  const giveUp = new AbortController();
  const signal = kill.signal === undefined ? giveUp.signal : AbortSignal.any([kill.signal, giveUp.signal]);
  const podIps = podIpsOf(context, kill.pod, kill.runtimePod);
  const target = { pod: kill.pod, container, containerId: id, podIps };
  const failed = (error: unknown) => {
    if (signal.aborted) return;
    env.log.info("a preStop hook failed", { pod: kill.pod.metadata.name, container: container.name, error });
    recorder.event(
      containerReference(kill.pod, container.name),
      "Warning",
      REASONS.failedPreStopHook,
      "PreStopHook failed",
    );
  };
  const hooked = runHook(context, target, hook, graceMs, signal).catch(failed);
  await Promise.race([hooked, env.clock.sleep(graceMs, signal).catch(() => undefined)]);
  giveUp.abort();
  return graceMs - (env.clock.monotonic() - startedAtMs);
}

/** Resolves once it has ended. */
export async function killContainer(
  context: KubeletContext,
  kill: Kill,
  status: ContainerStatus,
  message = "",
): Promise<void> {
  const { pod, graceMs } = kill;
  const container = findContainer(pod, status.name);
  if (status.state === "Running") {
    const text = message === "" ? `Stopping container ${status.name}` : message;
    context.recorder.event(containerReference(pod, status.name), "Normal", REASONS.killing, text);
  }
  const left =
    container === undefined || status.state !== "Running"
      ? graceMs
      : await preStop(context, kill, container, status.id, graceMs);
  if (kill.signal?.aborted === true) return;
  await context.runtime.stopContainer(status.id, Math.max(left, GRACE_MIN_MS));
  await context.cache.refresh(status.id, status.sandboxId);
  const now = context.cache.pod(kill.runtimePod.pod.uid)?.containers.find(({ id }) => id === status.id);
  if (now?.state === "Running") throw new Error(`container ${status.name} runs on after it was killed`);
}

const mayRun = ({ state }: ContainerStatus): boolean => state !== "Exited";

/** Resolves once all have ended. */
export async function killContainers(context: KubeletContext, kill: Kill): Promise<void> {
  const sidecars = (kill.pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const running = kill.runtimePod.containers.filter(mayRun);
  const startedAtMs = context.env.clock.monotonic();
  const regular = running.filter(({ name }) => !sidecars.includes(name));
  await Promise.all(regular.map((status) => killContainer(context, kill, status)));
  for (const name of sidecars.toReversed()) {
    const leftMs = kill.graceMs - (context.env.clock.monotonic() - startedAtMs);
    const ended = running.filter((status) => status.name === name);
    await Promise.all(ended.map((status) => killContainer(context, { ...kill, graceMs: leftMs }, status)));
  }
}
