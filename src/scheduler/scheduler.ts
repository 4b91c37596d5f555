/**
 * The scheduler's shell: feeds the cache and the queue from informers, plans one pod at a time, and binds without
 * waiting for the answer. Deciding is in plan.ts and plugins/; this file only acts.
 *
 * Absent on purpose, so far: profiles, extenders and volume binding.
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
import { clusterViewOf } from "./clusterView.ts";
import { evictVictims } from "./evictVictims.ts";
import { priorityOf } from "./filtering.ts";
import type { ClusterEvent, SchedulerPlugin } from "./framework.ts";
import { Nominations } from "./nominations.ts";
import { type Plan, plan } from "./plan.ts";
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

type Waiting = Extract<Plan, { readonly do: "wait" }>;

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
  const nominations = new Nominations();
  /** Uids of pods whose victims are being told to go: until they have been, nothing is decided anew. */
  const evictingFor = new Set<string>();
  const view = clusterViewOf(informers, cache, nominations);
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
    if (isStopped || !nodes.hasSynced || !pods.hasSynced || !view.hasSynced()) return;
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
    const { uid } = pod.metadata;
    if (evictingFor.has(uid)) {
      queue.giveBack(uid, ["DefaultPreemption"], env.clock.now());
      return;
    }
    const cluster = view.now();
    const decision = plan({ pod: withNomination(pod), cluster, plugins, random: env.random, startIndex });
    startIndex = cluster.nodes.length === 0 ? 0 : (startIndex + 1) % cluster.nodes.length;
    if (decision.do === "bind") {
      cache.assume(pod, decision.nodeName);
      nominations.remove(uid);
      void bind(pod, decision.nodeName);
      return;
    }
    queue.giveBack(uid, decision.plugins, env.clock.now());
    recorder.event(pod, "Warning", "FailedScheduling", decision.message);
    const nominated = nominate(pod, decision);
    void setCondition(pod, "Unschedulable", decision.message, nominated);
  }

  /** The API may not show yet what we decided. */
  function withNomination(pod: Pod): Pod {
    const nominatedNodeName = nominations.nodeOf(pod.metadata.uid);
    return nominatedNodeName === undefined ? pod : { ...pod, status: { ...pod.status, nominatedNodeName } };
  }

  /** @returns the node on which room is made for the pod; undefined leaves things as they are. */
  function nominate(pod: Pod, { preemption, isHopeless }: Waiting): string | undefined {
    if (preemption === undefined) {
      if (isHopeless) nominations.remove(pod.metadata.uid);
      return isHopeless ? "" : undefined;
    }
    const { nodeName } = preemption;
    for (const other of nominations.on(nodeName)) {
      if (priorityOf(other) >= priorityOf(pod)) continue;
      nominations.remove(other.metadata.uid);
      void clearNomination(other);
    }
    nominations.set(pod, nodeName);
    const { uid } = pod.metadata;
    evictingFor.add(uid);
    void evictVictims({ env, client, recorder, schedulerName }, pod, preemption).finally(() => evictingFor.delete(uid));
    return nodeName;
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
      const message = `running Bind plugin "DefaultBinder": ${(error as Error).message}`;
      recorder.event(pod, "Warning", "FailedScheduling", message);
      void setCondition(pod, "SchedulerError", message);
      // What has become of it during the attempt.
      const current = pods.find(namespace, name);
      if (current?.metadata.uid === uid) podSeen(current);
    }
  }

  /** @param nominated undefined: whatever it was; empty: none any more. */
  async function setCondition(pod: Pod, reason: string, message: string, nominated?: string): Promise<void> {
    const old = (pod.status.conditions ?? []).find(({ type }) => type === "PodScheduled");
    const isSame = old?.status === "False" && old.reason === reason && old.message === message;
    const isNominated = nominated === undefined || nominated === (pod.status.nominatedNodeName ?? "");
    if (isSame && isNominated) return;
    const condition: PodCondition = {
      type: "PodScheduled",
      status: "False",
      reason,
      message,
      observedGeneration: pod.metadata.generation,
      lastTransitionTime: old?.status === "False" ? old.lastTransitionTime : timestamp(env.clock.now()),
    };
    const nominatedNodeName = nominated === "" ? null : nominated;
    await patchStatus(pod, { conditions: [condition], ...(!isNominated && { nominatedNodeName }) });
  }

  const clearNomination = (pod: Pod) => patchStatus(pod, { nominatedNodeName: null });

  async function patchStatus({ metadata: { name, namespace = "" } }: Pod, status: object): Promise<void> {
    try {
      await client.patch(podKind, { name, namespace }, "strategic", { status }, { subresource: "status" });
    } catch (error) {
      if (!isApiError(error, "NotFound")) env.log.warn("a pod's status could not be set", { namespace, name, error });
    }
  }

  function podSeen(pod: Pod): void {
    if (isAssigned(pod) || hasEnded(pod)) {
      queue.remove(pod.metadata.uid);
      nominations.remove(pod.metadata.uid);
      if (hasEnded(pod)) podGone(pod);
      else if (cache.place(pod, pod.spec.nodeName as string)) happened("pod-added");
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
    const nominated = pod.status.nominatedNodeName ?? "";
    if (nominated !== "" && nominations.nodeOf(pod.metadata.uid) === undefined) nominations.set(pod, nominated);
    queue.put(pod, env.clock.now());
    wake();
  }

  function podGone(pod: Pod): void {
    queue.remove(pod.metadata.uid);
    nominations.remove(pod.metadata.uid);
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
      onDelete: (node) => {
        cache.removeNode(node.metadata.name);
        happened("node-removed");
      },
    }),
    pods.addHandler({
      onAdd: podSeen,
      onUpdate: (previous, next) => {
        podSeen(next);
        if (!isAssigned(previous)) return;
        if (asksForLess(previous, next)) happened("pod-removed");
        if (!deepEqual(previous.metadata.labels, next.metadata.labels)) happened("pod-added");
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
