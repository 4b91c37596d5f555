/**
 * The scheduler's shell: feeds the cache and the queue from informers, plans one pod at a time, and binds without
 * waiting for the answer. Deciding is in plan.ts and plugins/; this file only acts.
 *
 * Absent on purpose, so far: preemption, profiles, extenders and volume binding.
 */
import type { Node, Pod, PodCondition } from "../api/generated/core-v1.ts";
import { node as nodeKind, pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { createRecorder } from "../client/recorder.ts";
import type { SharedInformers } from "../client/sharedInformers.ts";
import type { Env, Timer } from "../lib/env.ts";
import { deepEqual } from "../machinery/deepEqual.ts";
import { isApiError } from "../machinery/errors.ts";
import { timestamp } from "../machinery/object.ts";
import { SchedulerCache } from "./cache.ts";
import type { ClusterEvent, SchedulerPlugin } from "./framework.ts";
import { plan } from "./plan.ts";
import { plugins as defaultPlugins } from "./plugins/index.ts";
import { podResources } from "./podResources.ts";
import { SchedulingQueue } from "./queue.ts";

/** Source: v1.DefaultSchedulerName. */
export const SCHEDULER_NAME = "default-scheduler";
/** Pods planned before other work of the process gets its turn. */
const PODS_PER_TURN_MAX = 50;

export interface SchedulerOptions {
  readonly env: Env;
  readonly client: Client;
  readonly informers: SharedInformers;
  readonly schedulerName?: string;
  readonly plugins?: readonly SchedulerPlugin[];
}

export interface RunningScheduler {
  stop(): Promise<void>;
}

const hasEnded = ({ status }: Pod) => status.phase === "Succeeded" || status.phase === "Failed";
const isAssigned = ({ spec }: Pod) => spec.nodeName !== undefined && spec.nodeName !== "";

/** A pod resized in place leaves room to others, as one that goes does. */
const asksForLess = (previous: Pod, next: Pod): boolean => {
  if (previous.metadata.generation === next.metadata.generation) return false;
  const asked = podResources(next).requested;
  return Object.entries(podResources(previous).requested).some(([name, amount]) => (asked[name] ?? 0) < amount);
};

export function startScheduler(options: SchedulerOptions): RunningScheduler {
  const { env, client, informers, schedulerName = SCHEDULER_NAME, plugins = defaultPlugins } = options;
  const helpedBy = new Map(plugins.map(({ name, helpedBy }) => [name, new Set(helpedBy)]));
  const queue = new SchedulingQueue((plugin, event) => helpedBy.get(plugin)?.has(event) ?? true);
  const cache = new SchedulerCache();
  const recorder = createRecorder({ env, client, component: schedulerName });
  const nodes = informers.of(nodeKind);
  const pods = informers.of(podKind);
  let timer: Timer | undefined;
  let isTurnPlanned = false;
  let isStopped = false;
  let startIndex = 0;

  const happened = (event: ClusterEvent) => {
    queue.happened(event, env.clock.now());
    wake();
  };

  /** Runs a turn once all handlers of this batch have run. */
  function wake(): void {
    if (isTurnPlanned || isStopped) return;
    isTurnPlanned = true;
    timer?.cancel();
    timer = env.clock.setTimer(0, turn);
  }

  function turn(): void {
    isTurnPlanned = false;
    if (isStopped || !nodes.hasSynced || !pods.hasSynced) return;
    for (let count = 0; count < PODS_PER_TURN_MAX; count++) {
      const pod = queue.take(env.clock.now());
      if (pod === undefined) {
        sleep();
        return;
      }
      scheduleOne(pod);
    }
    wake();
  }

  function sleep(): void {
    const due = queue.nextDueMs();
    if (due !== undefined) timer = env.clock.setTimer(Math.max(0, due - env.clock.now()), wake);
  }

  function scheduleOne(pod: Pod): void {
    const all = cache.nodes;
    const decision = plan({ pod, nodes: all, plugins, random: env.random, startIndex });
    startIndex = all.length === 0 ? 0 : (startIndex + 1) % all.length;
    if (decision.do === "bind") {
      cache.assume(pod, decision.nodeName);
      void bind(pod, decision.nodeName);
      return;
    }
    queue.giveBack(pod.metadata.uid, decision.plugins, env.clock.now());
    recorder.event(pod, "Warning", "FailedScheduling", decision.message);
    void setCondition(pod, "Unschedulable", decision.message);
  }

  async function bind(pod: Pod, nodeName: string): Promise<void> {
    const { name, namespace = "", uid } = pod.metadata;
    try {
      await client.raw({
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
        headers: { "content-type": "application/json" },
        body: {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { name, namespace, uid },
          target: { kind: "Node", name: nodeName },
        },
      });
      queue.remove(uid);
      recorder.event(pod, "Normal", "Scheduled", `Successfully assigned ${namespace}/${name} to ${nodeName}`);
    } catch (error) {
      // The answer can be lost of a binding that was made, and that the API has shown meanwhile.
      if (!cache.isAssumed(uid)) return;
      cache.remove(uid);
      happened("pod-removed");
      if (isApiError(error, "NotFound")) {
        queue.remove(uid);
        return;
      }
      env.log.warn("a pod could not be bound", { namespace, name, nodeName, error });
      queue.giveBack(uid, [], env.clock.now());
      recorder.event(
        pod,
        "Warning",
        "FailedScheduling",
        `running Bind plugin "DefaultBinder": ${(error as Error).message}`,
      );
      // What has become of it during the attempt.
      const current = pods.find(namespace, name);
      if (current?.metadata.uid === uid) podSeen(current);
    }
  }

  async function setCondition(pod: Pod, reason: string, message: string): Promise<void> {
    const { name, namespace = "" } = pod.metadata;
    const old = (pod.status.conditions ?? []).find(({ type }) => type === "PodScheduled");
    const isSame = old?.status === "False" && old.reason === reason && old.message === message;
    if (isSame) return;
    const condition: PodCondition = {
      type: "PodScheduled",
      status: "False",
      reason,
      message,
      observedGeneration: pod.metadata.generation,
      lastTransitionTime: old?.status === "False" ? old.lastTransitionTime : timestamp(env.clock.now()),
    };
    try {
      await client.patch(
        podKind,
        { name, namespace },
        "strategic",
        { status: { conditions: [condition] } },
        { subresource: "status" },
      );
    } catch (error) {
      if (!isApiError(error, "NotFound"))
        env.log.warn("a pod's condition could not be set", { namespace, name, error });
    }
  }

  function podSeen(pod: Pod): void {
    if (isAssigned(pod) || hasEnded(pod)) {
      queue.remove(pod.metadata.uid);
      if (hasEnded(pod)) podGone(pod);
      else cache.place(pod, pod.spec.nodeName as string);
      return;
    }
    // A revision from before our binding, which is under way or was just made.
    if (cache.isAssumed(pod.metadata.uid)) return;
    if (pod.spec.schedulerName !== schedulerName || pod.metadata.deletionTimestamp !== undefined) {
      queue.remove(pod.metadata.uid);
      return;
    }
    // It says so itself: the API server wrote that condition when the pod was made.
    if (plugins.some((plugin) => plugin.gate?.(pod) === true)) return;
    queue.put(pod, env.clock.now());
    wake();
  }

  function podGone(pod: Pod): void {
    queue.remove(pod.metadata.uid);
    if (cache.remove(pod.metadata.uid)) happened("pod-removed");
  }

  function nodeChanged(previous: Node, next: Node): void {
    cache.setNode(next);
    if (!deepEqual(previous.status.allocatable, next.status.allocatable)) happened("node-resources-changed");
    if (!deepEqual(previous.metadata.labels, next.metadata.labels)) happened("node-labels-changed");
    const taints = ({ spec }: Node) => [spec.taints ?? [], spec.unschedulable ?? false];
    if (!deepEqual(taints(previous), taints(next))) happened("node-taints-changed");
  }

  const removeHandlers = [
    nodes.addHandler({
      onAdd: (node) => {
        cache.setNode(node);
        happened("node-added");
      },
      onUpdate: nodeChanged,
      onDelete: (node) => cache.removeNode(node.metadata.name),
    }),
    pods.addHandler({
      onAdd: podSeen,
      onUpdate: (previous, next) => {
        podSeen(next);
        if (isAssigned(previous) && asksForLess(previous, next)) happened("pod-removed");
      },
      onDelete: podGone,
    }),
  ];
  void informers.synced().then(wake);

  return {
    stop: async () => {
      isStopped = true;
      timer?.cancel();
      for (const remove of removeHandlers) remove();
      await recorder.flush();
      recorder.stop();
    },
  };
}
