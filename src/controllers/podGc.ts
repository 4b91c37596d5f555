/** Takes away pods that nobody else will: of nodes that have gone, never scheduled, or ended long ago. Source: pkg/controller/podgc. */
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { node as nodeKind, pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, reading, runController } from "../client/controller.ts";
import { isApiError } from "../machinery/errors.ts";
import { timestamp } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { targetOf } from "./ownership.ts";
import { isTerminal } from "./pods/podReadiness.ts";

/** Ended pods that are kept. Source: --terminated-pod-gc-threshold. */
export const TERMINATED_PODS_MAX = 12_500;
/** Source: gc_controller.go, gcCheckPeriod. */
const CHECK_PERIOD_MS = 20_000;
/** A node may come back within this. Source: gc_controller.go, quarantineTime. */
const QUARANTINE_MS = 40_000;
const KEY = "pods";

export interface ObservedPods {
  readonly pods: readonly Pod[];
  readonly nodeNames: ReadonlySet<string>;
  /** When nodes that pods name were first missed. */
  readonly missedMs: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

export interface PodGcAction {
  readonly pod: Pod;
  readonly because: "terminated" | "orphaned" | "unscheduled";
}

/** Decides; never acts. Same input, same actions. */
export function plan({ pods, nodeNames, missedMs, nowMs }: ObservedPods): readonly PodGcAction[] {
  const actions: PodGcAction[] = [];
  const terminated = pods.filter((pod) => isTerminal(pod) && pod.metadata.deletionTimestamp === undefined);
  for (const pod of terminated
    .toSorted(byEvictionAndAge)
    .slice(0, Math.max(0, terminated.length - TERMINATED_PODS_MAX))) {
    actions.push({ pod, because: "terminated" });
  }
  const chosen = new Set(actions.map(({ pod }) => pod));
  for (const pod of pods) {
    if (chosen.has(pod)) continue;
    const node = pod.spec?.nodeName ?? "";
    if (node === "") {
      if (pod.metadata.deletionTimestamp !== undefined) actions.push({ pod, because: "unscheduled" });
    } else if (!nodeNames.has(node) && nowMs - (missedMs.get(node) ?? nowMs) >= QUARANTINE_MS) {
      actions.push({ pod, because: "orphaned" });
    }
  }
  return actions;
}

const byEvictionAndAge = (a: Pod, b: Pod): number =>
  Number(b.status?.reason === "Evicted") - Number(a.status?.reason === "Evicted") ||
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

export function startPodGcController(context: ControllerContext): RunningController {
  const { env, informers } = context;
  const missedMs = new Map<string, number>();
  const reconcile = async (_: string, tracked: Client) => {
    const nowMs = env.clock.now();
    const pods = informers.of<Pod>(podKind).list();
    const nodeNames = new Set(
      informers
        .of<Node>(nodeKind)
        .list()
        .map(({ metadata }) => metadata.name),
    );
    noteMissing(missedMs, pods, nodeNames, nowMs);
    const actions = plan({ pods, nodeNames, missedMs, nowMs });
    const failures: unknown[] = [];
    for (const action of actions) await collect(tracked, action, nowMs).catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
    return { requeueAfterMs: CHECK_PERIOD_MS };
  };
  const controller = runController({
    ...context,
    name: "pod-garbage-collector-controller",
    workers: 1,
    watches: [reading<Pod>(podKind), reading<Node>(nodeKind)],
    reconcile,
  });
  controller.queue.add(KEY);
  return controller;
}

function noteMissing(
  missedMs: Map<string, number>,
  pods: readonly Pod[],
  nodeNames: ReadonlySet<string>,
  nowMs: number,
): void {
  const named = new Set(pods.map(({ spec }) => spec?.nodeName ?? ""));
  for (const name of missedMs.keys()) if (!named.has(name) || nodeNames.has(name)) missedMs.delete(name);
  for (const name of named) if (name !== "" && !nodeNames.has(name) && !missedMs.has(name)) missedMs.set(name, nowMs);
}

/** The node is asked for once more, since a pod deleted this way is not stopped by anybody. */
async function collect(client: Client, { pod, because }: PodGcAction, nowMs: number): Promise<void> {
  try {
    if (because === "orphaned") {
      if (await isNodeThere(client, pod.spec?.nodeName ?? "")) return;
      if (!isTerminal(pod)) await markFailed(client, pod, nowMs);
    }
    await client.delete(podKind, targetOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } });
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
}

async function isNodeThere(client: Client, name: string): Promise<boolean> {
  try {
    await client.get<Node>(nodeKind, { name });
    return true;
  } catch (error) {
    if (isApiError(error, "NotFound")) return false;
    throw error;
  }
}

async function markFailed(client: Client, pod: Pod, nowMs: number): Promise<void> {
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists",
    lastTransitionTime: timestamp(nowMs),
  };
  const patch = { metadata: { uid: pod.metadata.uid }, status: { phase: "Failed", conditions: [condition] } };
  await client.patch(podKind, targetOf(pod), "strategic", patch, { subresource: "status" });
}
