/** Probes the containers of one pod, each probe at its own pace. Source: kubelet prober/prober_manager.go, worker.go. */

import type { Container, Pod, Probe } from "../../api/generated/core-v1.ts";
import type { Env, Timer } from "../../lib/env.ts";
import type { Dial } from "../dial.ts";
import { containerReference, REASONS, type Recorder } from "../events.ts";
import type { ProbeVerdict } from "../podLifecycle/podActions.ts";
import { activeContainer, isSidecar, type RuntimePod } from "../podLifecycle/runtimePod.ts";
import type { ContainerStatus, Runtime } from "../runtime.ts";
import type { PodProbes } from "./podProbes.ts";
import { nextLook, probeSchedule } from "./probeSchedule.ts";
import { initialProbeState, nextProbeState, type ProbeState, type ProbeType, probeTiming } from "./probeState.ts";
import { runProbe } from "./runProbe.ts";

const TYPES: readonly ProbeType[] = ["startup", "liveness", "readiness"];
const TITLES: Readonly<Record<ProbeType, string>> = {
  startup: "Startup",
  liveness: "Liveness",
  readiness: "Readiness",
};
/** Longest piece of output in an event. Source: prober.go maxProbeMessageLength, in bytes upstream. */
const MESSAGE_MAX = 10_240;

interface Worker {
  readonly type: ProbeType;
  readonly containerId: string;
  readonly startedAtMs: number;
  state: ProbeState;
  timer: Timer | undefined;
  isStopped: boolean;
}

export interface PodProbesOptions {
  readonly env: Env;
  readonly runtime: Pick<Runtime, "execSync">;
  readonly dial: Dial;
  readonly recorder: Recorder;
  /** Where the pod is reached. */
  readonly podIps: (pod: Pod, runtimePod: RuntimePod | undefined) => readonly string[];
  /** A verdict has changed. */
  readonly onChange: () => void;
  /** The kubelet has just been started: the first probes are spread over one period, so that not all come at once. */
  readonly isJustStarted: () => boolean;
}

/** Source: kubelet prober/prober.go. */
const TOLD = {
  Warning: { reason: REASONS.probeWarning, words: "warning" },
  Failure: { reason: REASONS.unhealthy, words: "failed" },
  Unknown: { reason: REASONS.unhealthy, words: "errored and resulted in unknown state" },
};

const probeOf = (container: Container, type: ProbeType): Probe | undefined =>
  ({ startup: container.startupProbe, liveness: container.livenessProbe, readiness: container.readinessProbe })[type];

/** What the API says of this very container from before a restart of the kubelet goes on to count. */
function knownProbeState(type: ProbeType, { status }: Pod, containerId: string): ProbeState {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const known = all.find(({ containerID }) => containerID?.endsWith(`://${containerId}`) === true);
  const isKnown = (type === "readiness" && known?.ready === true) || (type === "startup" && known?.started === true);
  if (!isKnown) return initialProbeState(type);
  return { verdict: "Success", lastFound: "Success", runLength: 1, isOnHold: type === "startup" };
}

export function createPodProbes(options: PodProbesOptions): PodProbes {
  const { env, onChange, recorder } = options;
  const workers = new Map<string, Worker>();
  let current: { pod: Pod; runtimePod: RuntimePod } | undefined;
  let areKillersStopped = false;
  let isStopped = false;

  const keyOf = (containerId: string, type: ProbeType) => `${containerId}/${type}`;
  const verdict = (containerId: string, type: ProbeType): ProbeVerdict | undefined =>
    workers.get(keyOf(containerId, type))?.state.verdict;

  const stop = (key: string, worker: Worker): void => {
    worker.isStopped = true;
    worker.timer?.cancel();
    workers.delete(key);
  };

  const containerOf = (worker: Worker): { pod: Pod; container: Container; status: ContainerStatus } | undefined => {
    const status = current?.runtimePod.containers.find(({ id }) => id === worker.containerId);
    if (current === undefined || status === undefined) return undefined;
    const { spec } = current.pod;
    const container = [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === status.name);
    return container === undefined ? undefined : { pod: current.pod, container, status };
  };

  const tell = (type: ProbeType, pod: Pod, container: Container, found: keyof typeof TOLD, message: string): void => {
    const { reason, words } = TOLD[found];
    const text = `${TITLES[type]} probe ${words}: ${message.slice(0, MESSAGE_MAX)}`;
    recorder.event(containerReference(pod, container.name), "Warning", reason, text);
  };

  /** Liveness and readiness wait for the startup probe. */
  const isHeldBack = (worker: Worker, container: Container): boolean =>
    worker.state.isOnHold ||
    (worker.type !== "startup" &&
      container.startupProbe !== undefined &&
      verdict(worker.containerId, "startup") !== "Success");

  const look = async (worker: Worker, counts: boolean): Promise<void> => {
    const found = containerOf(worker);
    if (found === undefined || found.status.state !== "Running" || isHeldBack(worker, found.container)) return;
    const { pod, container, status } = found;
    const probe = probeOf(container, worker.type);
    if (probe === undefined) return;
    const podIp = options.podIps(pod, current?.runtimePod)[0] ?? "127.0.0.1";
    const outcome = await runProbe({ ...options, pod, container, containerId: status.id, podIp }, probe);
    const isBad = outcome.verdict === "Failure" || outcome.verdict === "Unknown";
    if (worker.isStopped || (!counts && isBad)) return;
    if (outcome.verdict !== "Success") tell(worker.type, pod, container, outcome.verdict, outcome.message);
    if (outcome.verdict === "Unknown") return;
    const before = worker.state.verdict;
    const result = outcome.verdict === "Failure" ? "Failure" : "Success";
    worker.state = nextProbeState(worker.type, probeTiming(probe), worker.state, result);
    if (worker.state.verdict === before) return;
    if (worker.type === "startup" && worker.state.verdict === "Success") lookNow(worker.containerId);
    onChange();
  };

  const lookAfter = (worker: Worker, delayMs: number, counts: boolean): void => {
    worker.timer?.cancel();
    worker.timer = env.clock.setTimer(delayMs, async () => {
      await look(worker, counts);
      schedule(worker);
    });
  };

  /** The next look by the clock; a turn that was missed because a probe took long is left out. */
  const schedule = (worker: Worker): void => {
    const found = containerOf(worker);
    const probe = found && probeOf(found.container, worker.type);
    if (worker.isStopped || worker.state.isOnHold || probe === undefined) return;
    const timing = probeTiming(probe);
    const plan = probeSchedule(worker.type, timing, probe.exec !== undefined);
    const ageMs = env.clock.now() - worker.startedAtMs;
    const { delayMs, counts } = nextLook(plan, timing, ageMs, worker.state.lastFound === "Success");
    lookAfter(worker, delayMs, counts);
  };

  /** The container has started: readiness need not wait for its next turn. */
  const lookNow = (containerId: string): void => {
    for (const worker of workers.values()) {
      if (worker.containerId === containerId && worker.type === "readiness") lookAfter(worker, 0, false);
    }
  };

  const start = (type: ProbeType, pod: Pod, container: Container, status: ContainerStatus): void => {
    const probe = probeOf(container, type);
    const key = keyOf(status.id, type);
    if (probe === undefined || workers.has(key) || (areKillersStopped && type !== "readiness")) return;
    const { periodMs } = probeTiming(probe);
    const nowMs = env.clock.now();
    const startedAtMs = status.startedAtMs ?? nowMs;
    const isOld = options.isJustStarted() && nowMs - startedAtMs > periodMs;
    const worker: Worker = {
      type,
      containerId: status.id,
      // An own phase for each of many containers that were taken over.
      startedAtMs: isOld ? startedAtMs - env.random.next() * periodMs : startedAtMs,
      state: knownProbeState(type, pod, status.id),
      timer: undefined,
      isStopped: false,
    };
    workers.set(key, worker);
    schedule(worker);
  };

  return {
    startup: (id) => verdict(id, "startup"),
    liveness: (id) => verdict(id, "liveness"),
    readiness: (id) => verdict(id, "readiness"),
    update(pod, runtimePod) {
      if (isStopped) return;
      current = { pod, runtimePod };
      const containers = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
      for (const container of containers) {
        const status = activeContainer(runtimePod, container.name);
        if (status?.state === "Running") for (const type of TYPES) start(type, pod, container, status);
      }
      const running = new Set(runtimePod.containers.filter(({ state }) => state === "Running").map(({ id }) => id));
      for (const [key, worker] of workers) if (!running.has(worker.containerId)) stop(key, worker);
    },
    stopLivenessAndStartup() {
      areKillersStopped = true;
      for (const [key, worker] of workers) if (worker.type === "liveness") stop(key, worker);
    },
    stop() {
      isStopped = true;
      for (const [key, worker] of workers) stop(key, worker);
    },
  };
}
