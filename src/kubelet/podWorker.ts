/**
 * One pod on this node, from the first look to the last trace. Whatever happens only wakes it; then it looks at the
 * spec, at the runtime and at the clock, and does what is missing. Looks never overlap; the status is sent at any time.
 */
import type { Pod } from "../api/generated/core-v1.ts";
import type { Timer } from "../lib/env.ts";
import { deepEqual } from "../machinery/deepEqual.ts";
import type { KubeletContext } from "./context.ts";
import { podFolders } from "./context.ts";
import { REASONS } from "./events.ts";
import { killContainers } from "./killContainers.ts";
import { type PodVerdict, podStatus } from "./podLifecycle/podStatus.ts";
import { isTerminalPhase } from "./podLifecycle/restartPolicy.ts";
import { emptyRuntimePod, formatPod, type RuntimePod } from "./podLifecycle/runtimePod.ts";
import { removePod, stopSandboxes } from "./podRemoval.ts";
import type { PodState } from "./podState.ts";
import { mount, syncPod } from "./podSync.ts";
import { nextPodWorkerPhase, type PodWorkerPhase } from "./podWorkerPhase.ts";
import type { StatusWriter } from "./statusWriter.ts";
import { terminationMessage } from "./terminationMessages.ts";
import { tearDownVolumes } from "./volumes/podVolumes.ts";

/** After an error nobody foresaw. Source: pod_workers.go backOffPeriod. */
const RETRY_MS = 10_000;
const GRACE_DEFAULT_SECONDS = 30;
/** Given even where a deletion gives none. Source: pod_workers.go calculateEffectiveGracePeriod. */
const GRACE_FORCED_MS = 1000;
/** Longer waits are made in steps: a timer of the platform holds 24.8 days at most. */
const TIMER_MAX_MS = 24 * 3_600_000;

interface RunningKill {
  readonly graceMs: number;
  readonly stopping: AbortController;
}

/** Nothing changed that the containers could depend on. */
function isSameButStatus({ metadata: a, spec: before }: Pod, { metadata: b, spec: after }: Pod): boolean {
  return (
    a.deletionTimestamp === b.deletionTimestamp &&
    a.deletionGracePeriodSeconds === b.deletionGracePeriodSeconds &&
    (a.generation === undefined ? deepEqual(before, after) : a.generation === b.generation) &&
    deepEqual(a.labels, b.labels) &&
    deepEqual(a.annotations, b.annotations)
  );
}

export interface PodWorkerOptions {
  readonly context: KubeletContext;
  readonly state: PodState;
  readonly statuses: StatusWriter;
  /** Nothing of it is left. */
  readonly onFinished: (uid: string) => void;
}

export class PodWorker {
  readonly state: PodState;
  readonly #context: KubeletContext;
  readonly #statuses: StatusWriter;
  readonly #onFinished: (uid: string) => void;
  readonly #stopSync = new AbortController();
  #phase: PodWorkerPhase = "Syncing";
  #isGone = false;
  #isKilled = false;
  #isRemoved = false;
  #isActing = false;
  #isDirty = false;
  #isStopped = false;
  /** Volumes must be looked at again though no container is to be started. */
  #areVolumesStale = false;
  #kill: RunningKill | undefined;
  #graceOverrideMs: number | undefined;
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor({ context, state, statuses, onFinished }: PodWorkerOptions) {
    this.#context = context;
    this.state = state;
    this.#statuses = statuses;
    this.#onFinished = onFinished;
  }

  get uid(): string {
    return this.state.pod.metadata.uid;
  }

  get phase(): PodWorkerPhase {
    return this.#phase;
  }

  get runtimePod(): RuntimePod {
    return this.#context.cache.pod(this.uid) ?? emptyRuntimePod(this.state.pod);
  }

  /** The API, or the list of static pods, no longer has it; what is left of it is on its way out. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** As it is told: a container has started only once its postStart hook has ended. */
  get #toldRuntimePod(): RuntimePod {
    const { runtimePod } = this;
    const { inPostStart } = this.state;
    if (inPostStart.size === 0) return runtimePod;
    return { ...runtimePod, containers: runtimePod.containers.filter(({ id }) => !inPostStart.has(id)) };
  }

  /**
   * It counts against the node's resources: it may still run. One that the API does not have does not count, as nobody
   * could know of it. Source: kubelet_pods.go GetActivePods.
   */
  get isActive(): boolean {
    return !this.#isGone && (this.#phase === "Syncing" || this.#phase === "Terminating");
  }

  /** The API has a newer form of it. */
  update(pod: Pod): void {
    const previous = this.state.pod;
    this.state.pod = pod;
    if (this.#isDeleted) this.#stopSync.abort();
    if (!isSameButStatus(previous, pod)) {
      // Volumes may show labels and annotations.
      this.#areVolumesStale = true;
      this.wake();
    }
    // Mostly the echo of our own write; of others' it may be a readiness gate.
    else if (!this.#isStopped) this.#publishSoon();
  }

  /** The API, or the list of static pods, does not have it any more. */
  gone(): void {
    this.#isGone = true;
    this.#stopSync.abort();
    this.wake();
  }

  /** Ends it for good, whatever its spec says. */
  fail(reason: string, message: string, graceMs?: number): void {
    if (this.state.verdict === undefined) this.#graceOverrideMs = graceMs;
    this.#end({ phase: "Failed", reason, message });
  }

  /** The same, before anything of it runs. */
  reject(reason: string, message: string): void {
    this.#end({ phase: "Failed", reason, message: `Pod was rejected: ${message}`, isRejection: true });
  }

  #end(verdict: PodVerdict): void {
    if (this.state.verdict !== undefined) return;
    this.state.verdict = verdict;
    this.#stopSync.abort();
    this.wake();
  }

  /** Something that its volumes are made of has changed. */
  referencesChanged(): void {
    this.#areVolumesStale = true;
    this.wake();
  }

  wake(): void {
    if (this.#isStopped || this.#phase === "Finished") return;
    this.#isDirty = true;
    if (this.#isActing) this.#publishSoon();
    else void this.#run();
  }

  /** The kubelet stops; containers run on. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#stopSync.abort();
    this.state.probes.stop();
  }

  get #isDeleted(): boolean {
    return this.#isGone || this.state.pod.metadata.deletionTimestamp !== undefined;
  }

  async #run(): Promise<void> {
    this.#isActing = true;
    while (this.#isDirty && !this.#isStopped) {
      this.#isDirty = false;
      try {
        await this.#readAndPublish();
        await this.#act();
      } catch (error) {
        this.#context.env.log.error("a pod could not be brought up to date", { pod: formatPod(this.state.pod), error });
        this.#wakeAt(this.#context.env.clock.now() + RETRY_MS);
      }
    }
    this.#isActing = false;
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#dueMs || this.#isStopped) return;
    this.#timer?.cancel();
    this.#dueMs = atMs;
    const delayMs = Math.min(atMs - this.#context.env.clock.now(), TIMER_MAX_MS);
    this.#timer = this.#context.env.clock.setTimer(delayMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#areVolumesStale = true;
      this.wake();
    });
  }

  /** Outside of a look, where nobody waits for it. */
  #publishSoon(): void {
    this.#readAndPublish().catch((error: unknown) => {
      this.#context.env.log.error("a pod's status could not be made", { pod: formatPod(this.state.pod), error });
    });
  }

  /** Last words are read before the status that tells of an end, so that it tells all at once. */
  async #readAndPublish(): Promise<void> {
    const { terminationMessages } = this.state;
    const unread = this.runtimePod.containers.filter(
      ({ id, state }) => state === "Exited" && !terminationMessages.has(id),
    );
    for (const status of unread) {
      terminationMessages.set(status.id, await terminationMessage(this.#context.files, status));
    }
    this.#publish();
  }

  #publish(): void {
    if (this.#isStopped || this.#phase === "Finished") return;
    const { state } = this;
    const { pod, mirror } = state;
    const runtimePod = this.#toldRuntimePod;
    state.probes.update(pod, runtimePod);
    state.status = podStatus({
      pod,
      runtimePod,
      verdicts: state.probes,
      startFailures: state.startFailures,
      terminationMessages: state.terminationMessages,
      previous: state.status ?? (state.isStatic ? mirror?.status : pod.status),
      runtimeName: this.#context.runtime.name,
      hostIps: this.#context.hostIps(),
      nowMs: this.#context.env.clock.now(),
      isOver: this.#isKilled,
      verdict: state.verdict,
    });
    const target = state.isStatic ? mirror : pod;
    if (target !== undefined && !this.#isGone) this.#statuses.set(target, state.status);
  }

  async #act(): Promise<void> {
    this.#checkDeadline();
    this.#advance();
    switch (this.#phase) {
      case "Syncing":
        return this.#sync();
      case "Terminating":
        return this.#terminate();
      case "Terminated":
        return this.#finish();
      case "Finished":
        return;
      default:
        return this.#phase satisfies never;
    }
  }

  #advance(): void {
    const { verdict, hasEnded, pod } = this.state;
    const isOver = verdict !== undefined || hasEnded || isTerminalPhase(pod.status?.phase);
    this.#phase = nextPodWorkerPhase(this.#phase, {
      isDeleted: this.#isDeleted,
      isGone: this.#isGone,
      isOver,
      isKilled: this.#isKilled,
      isRemoved: this.#isRemoved,
    });
  }

  /** Source: kubelet active_deadline.go. */
  #checkDeadline(): void {
    const { pod, status, verdict } = this.state;
    const seconds = pod.spec.activeDeadlineSeconds;
    const startTime = status?.startTime;
    if (seconds === undefined || startTime === undefined || verdict !== undefined || this.#phase !== "Syncing") return;
    const deadlineMs = Date.parse(startTime) + seconds * 1000;
    if (this.#context.env.clock.now() < deadlineMs) {
      this.#wakeAt(deadlineMs);
      return;
    }
    const message = "Pod was active on the node longer than the specified deadline";
    this.state.verdict = { phase: "Failed", reason: REASONS.deadlineExceeded, message };
    this.#context.recorder.event(
      { ...pod, apiVersion: "v1", kind: "Pod" },
      "Normal",
      REASONS.deadlineExceeded,
      message,
    );
  }

  async #sync(): Promise<void> {
    const sync = {
      context: this.#context,
      state: this.state,
      signal: this.#stopSync.signal,
      publish: () => this.#publish(),
      wakeAt: (atMs: number) => this.#wakeAt(atMs),
    };
    const areVolumesStale = this.#areVolumesStale;
    this.#areVolumesStale = false;
    if (await syncPod(sync)) this.#isDirty = true;
    else if (areVolumesStale && this.runtimePod.containers.length > 0) await this.#refreshVolumes(sync);
    if (this.#stopSync.signal.aborted) this.#isDirty = true;
  }

  /** Running containers keep what they have until it succeeds. */
  async #refreshVolumes(sync: Parameters<typeof mount>[0]): Promise<void> {
    try {
      await mount(sync);
    } catch (error) {
      const { env } = this.#context;
      env.log.info("a pod's volumes could not be brought up to date", { pod: formatPod(this.state.pod), error });
      this.#wakeAt(env.clock.now() + RETRY_MS);
    }
  }

  /**
   * Deleted without a grace period, so that there was no time to hear of it: only then does the API lose a pod that runs.
   * Upstream's kubelet is told of a grace period of 0 just before.
   */
  get #wasForced(): boolean {
    const { isStatic, pod } = this.state;
    return this.#isGone && !isStatic && pod.metadata.deletionTimestamp === undefined;
  }

  get #graceMs(): number {
    const { metadata, spec } = this.state.pod;
    if (this.#graceOverrideMs !== undefined) return this.#graceOverrideMs;
    if (this.#wasForced) return GRACE_FORCED_MS;
    const seconds = metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_SECONDS;
    return seconds * 1000;
  }

  /** Starts the end, or hurries it: a grace period can only become shorter. */
  #terminate(): void {
    const graceMs = this.#graceMs;
    if (this.#kill !== undefined && this.#kill.graceMs <= graceMs) return;
    this.#kill?.stopping.abort();
    this.state.probes.stopLivenessAndStartup();
    const kill = { graceMs, stopping: new AbortController() };
    this.#kill = kill;
    void this.#killAll(kill);
  }

  async #killAll(kill: RunningKill): Promise<void> {
    try {
      const { signal } = kill.stopping;
      const { pod } = this.state;
      await killContainers(this.#context, { pod, runtimePod: this.runtimePod, graceMs: kill.graceMs, signal });
      if (this.#kill !== kill) return;
      await stopSandboxes(this.#context, this.runtimePod);
      this.#isKilled = !this.runtimePod.containers.some(({ state }) => state === "Running");
      if (!this.#isKilled) this.#kill = undefined;
    } catch (error) {
      this.#context.env.log.error("a pod could not be ended", { pod: formatPod(this.state.pod), error });
      if (this.#kill === kill) this.#kill = undefined;
      this.#wakeAt(this.#context.env.clock.now() + RETRY_MS);
      return;
    }
    this.wake();
  }

  /** All has ended: the volumes go at once, the rest when the API no longer has the pod. */
  async #finish(): Promise<void> {
    const { pod, probes, isStatic, mirror } = this.state;
    probes.stop();
    await this.#readAndPublish();
    await tearDownVolumes(this.#context.files, podFolders(this.#context, this.uid));
    if (!this.#isGone) {
      const target = isStatic ? mirror : pod;
      if (pod.metadata.deletionTimestamp !== undefined && target !== undefined) this.#statuses.delete(target);
      return;
    }
    await removePod(this.#context, this.runtimePod);
    this.#isRemoved = true;
    this.#advance();
    this.#timer?.cancel();
    this.#statuses.forget(this.uid);
    this.#onFinished(this.uid);
  }
}
