/** All pods of this node: one worker each, started and told by what the API and the runtime say. */
import type { Pod } from "../api/generated/core-v1.ts";
import { type KubeletContext, podIpsOf } from "./context.ts";
import { killContainers } from "./killContainers.ts";
import { admitPod } from "./podAdmission.ts";
import { isTerminalPhase } from "./podLifecycle/restartPolicy.ts";
import { POD_GRACE_PERIOD_ANNOTATION, type RuntimePod } from "./podLifecycle/runtimePod.ts";
import { removePod, stopSandboxes } from "./podRemoval.ts";
import { newPodState } from "./podState.ts";
import { PodWorker } from "./podWorker.ts";
import { createPodProbes } from "./probes/createPodProbes.ts";
import type { RuntimeEvent } from "./runtime.ts";
import type { StatusWriter } from "./statusWriter.ts";

/** Probes that begin within this time after the kubelet's own start are spread. Source: prober/worker.go run. */
const JUST_STARTED_MS = 10_000;

export interface PodWorkers {
  /** The API's, or a static one. Twice is harmless. */
  set(pod: Pod, isStatic?: boolean): void;
  gone(uid: string): void;
  /** The API's image of a static pod, or that it is gone. */
  setMirror(staticUid: string, mirror: Pod | undefined): void;
  get(uid: string): PodWorker | undefined;
  list(): readonly PodWorker[];
  /** What the runtime has and nobody wants is ended and removed. */
  removeOrphans(): Promise<void>;
  handle(event: RuntimeEvent): Promise<void>;
  stop(): void;
}

export interface PodWorkersOptions {
  readonly context: KubeletContext;
  readonly statuses: StatusWriter;
  readonly node: () => Parameters<typeof admitPod>[0]["node"];
  /** A pod's worker has finished: nothing of the pod is left. */
  readonly onFinished?: (uid: string) => void;
}

export function createPodWorkers({ context, statuses, node, onFinished }: PodWorkersOptions): PodWorkers {
  const workers = new Map<string, PodWorker>();
  const orphans = new Set<string>();
  const { env, runtime, cache, recorder } = context;
  const startedAtMs = env.clock.monotonic();

  const finished = (uid: string): void => {
    workers.delete(uid);
    onFinished?.(uid);
  };

  const admit = (worker: PodWorker): void => {
    const { pod } = worker.state;
    const hasRun = (cache.pod(worker.uid)?.containers.length ?? 0) > 0 || pod.status?.startTime !== undefined;
    if (hasRun || isTerminalPhase(pod.status?.phase) || pod.metadata.deletionTimestamp !== undefined) return;
    const others = [...workers.values()].filter(
      (other) => other !== worker && other.isActive && other.state.verdict === undefined,
    );
    const rejection = admitPod({ pod, others: others.map(({ state }) => state.pod), node: node() });
    if (rejection === undefined) return;
    recorder.event({ ...pod, apiVersion: "v1", kind: "Pod" }, "Warning", rejection.reason, rejection.message);
    worker.reject(rejection.reason, rejection.message);
  };

  const start = (pod: Pod, isStatic: boolean): PodWorker => {
    const { uid } = pod.metadata;
    const probes = createPodProbes({
      env,
      runtime,
      recorder,
      dial: context.dial,
      podIps: (own, runtimePod) => podIpsOf(context, own, runtimePod),
      onChange: () => workers.get(uid)?.wake(),
      isJustStarted: () => env.clock.monotonic() - startedAtMs < JUST_STARTED_MS,
    });
    const worker = new PodWorker({
      context,
      state: newPodState(pod, isStatic, probes),
      statuses,
      onFinished: finished,
    });
    workers.set(uid, worker);
    if (!isStatic) admit(worker);
    return worker;
  };

  /** Without its pod all that is known is what the runtime remembers. */
  const removeOrphan = async (runtimePod: RuntimePod): Promise<void> => {
    const { uid, name, namespace } = runtimePod.pod;
    orphans.add(uid);
    try {
      const seconds = Number(runtimePod.containers[0]?.annotations[POD_GRACE_PERIOD_ANNOTATION] ?? 0);
      const metadata = { uid, name, namespace, creationTimestamp: "", resourceVersion: "" };
      const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] }, status: {} };
      await killContainers(context, { pod, runtimePod, graceMs: seconds * 1000 });
      await stopSandboxes(context, cache.pod(uid) ?? runtimePod);
      await removePod(context, cache.pod(uid) ?? runtimePod);
    } catch (error) {
      env.log.error("a pod that nobody wants could not be removed", { pod: `${namespace}/${name}`, error });
    } finally {
      orphans.delete(uid);
    }
  };

  return {
    set(pod, isStatic = false) {
      const worker = workers.get(pod.metadata.uid);
      if (worker === undefined) start(pod, isStatic).wake();
      else worker.update(pod);
    },
    gone: (uid) => workers.get(uid)?.gone(),
    setMirror(staticUid, mirror) {
      const worker = workers.get(staticUid);
      if (worker === undefined) return;
      worker.state.mirror = mirror;
      worker.wake();
    },
    get: (uid) => workers.get(uid),
    list: () => [...workers.values()],
    async removeOrphans() {
      const unwanted = cache.pods().filter(({ pod }) => !workers.has(pod.uid) && !orphans.has(pod.uid));
      await Promise.all(unwanted.map(removeOrphan));
    },
    async handle({ containerId, sandboxId }) {
      const uid = await cache.refresh(containerId, sandboxId);
      if (uid !== undefined) workers.get(uid)?.wake();
    },
    stop() {
      for (const worker of workers.values()) worker.stop();
    },
  };
}
