/**
 * Notices nodes that are out of touch or not well, says so in their conditions, keeps pods off them by taints, and calls
 * their pods not ready. Source: pkg/controller/nodelifecycle. Who evicts pods is `taintEviction.ts`.
 */
import type { Lease } from "../api/generated/coordination-v1.ts";
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { lease as leaseKind, node as nodeKind, pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { createRecorder, type Recorder } from "../client/recorder.ts";
import { isApiError } from "../machinery/errors.ts";
import { timestamp } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { judge, type NodeHealth, nextHealth, readyCondition } from "./node/nodeHealth.ts";
import { type Eviction, isEvicting, nextTaints } from "./node/nodeTaints.ts";
import { evictionIntervalMs, zoneOf } from "./node/zones.ts";
import { targetOf } from "./ownership.ts";
import { isReady } from "./pods/podReadiness.ts";
import { podsOnNode } from "./pods/podsOnNode.ts";

/** Source: nodelifecycle, UpdateWorkerSize is 8 for its parts. */
const WORKERS = 8;
/** Source: --node-monitor-period. */
const MONITOR_PERIOD_MS = 5_000;
const LEASE_NAMESPACE = "kube-node-lease";

interface Shell extends ControllerContext {
  readonly recorder: Recorder;
  readonly podsOn: (nodeName: string) => readonly Pod[];
  readonly health: Map<string, NodeHealth>;
  /** When the last node of each zone was told to be emptied. */
  readonly evictedMs: Map<string, number>;
}

export function startNodeLifecycleController(context: ControllerContext): RunningController {
  const { env, client, informers } = context;
  const recorder = createRecorder({ env, client, component: "node-controller" });
  const shell: Shell = {
    ...context,
    recorder,
    podsOn: podsOnNode(informers),
    health: new Map(),
    evictedMs: new Map(),
  };
  return runController({
    ...context,
    name: "node-lifecycle-controller",
    recorder,
    workers: WORKERS,
    watches: [
      watching<Node>(nodeKind, ({ metadata }) => [metadata.name]),
      watching<Lease>(leaseKind, ({ metadata }) => (metadata.namespace === LEASE_NAMESPACE ? [metadata.name] : [])),
      // A pod that comes to be ready on a node that is not is told otherwise.
      watching<Pod>(
        podKind,
        (pod) => (isReady(pod) && pod.spec?.nodeName !== undefined ? [pod.spec.nodeName] : []),
        (a, b) => isReady(a) !== isReady(b),
      ),
    ],
    reconcile: (name, tracked) => reconcile({ ...shell, client: tracked }, name),
  });
}

async function reconcile(shell: Shell, name: string) {
  const { env, informers, health, client } = shell;
  const observed = informers.of<Node>(nodeKind).get(name);
  if (observed === undefined) return farewell(shell, name);
  greet(shell, observed);
  const nowMs = env.clock.now();
  const seen = nextHealth(
    health.get(name),
    observed,
    informers.of<Lease>(leaseKind).find(LEASE_NAMESPACE, name),
    nowMs,
  );
  health.set(name, seen);
  const { conditions, lookAgainMs } = judge(observed, seen, nowMs);
  const node = conditions === undefined ? observed : await writeConditions(client, observed, conditions);
  if (readyCondition(observed)?.status === "True" && readyCondition(node)?.status !== "True") sayNotReady(shell, node);
  if (readyCondition(node)?.status !== "True") await markPodsNotReady(shell, node);
  const { eviction, waitMs } = chooseEviction(shell, node, nowMs);
  const taints = nextTaints(node, eviction, nowMs);
  if (taints !== undefined) {
    const { resourceVersion } = node.metadata;
    await client.patch<Node>(nodeKind, { name }, "merge", { metadata: { resourceVersion }, spec: { taints } });
  }
  const waits = [lookAgainMs, waitMs].filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
}

/** Nodes are emptied one by one; while everything is down, none is: then it is we who are cut off. */
function chooseEviction(
  { informers, evictedMs }: Shell,
  node: Node,
  nowMs: number,
): { eviction: Eviction; waitMs?: number } {
  if (readyCondition(node)?.status === "True") return { eviction: "spare" };
  const zone = zoneOf(node);
  const others = informers
    .of<Node>(nodeKind)
    .list()
    .filter(({ metadata }) => metadata.name !== node.metadata.name);
  const intervalMs = evictionIntervalMs([...others, node], zone);
  if (intervalMs === "all-down") return { eviction: "spare", waitMs: MONITOR_PERIOD_MS };
  if (isEvicting(node)) return { eviction: "evict" };
  if (intervalMs === undefined) return { eviction: "keep", waitMs: MONITOR_PERIOD_MS };
  const waitMs = (evictedMs.get(zone) ?? Number.NEGATIVE_INFINITY) + intervalMs - nowMs;
  if (waitMs > 0) return { eviction: "keep", waitMs };
  evictedMs.set(zone, nowMs);
  return { eviction: "evict" };
}

const writeConditions = (client: Client, node: Node, conditions: NonNullable<Node["status"]>["conditions"]) =>
  client.update<Node>(nodeKind, { ...node, status: { ...node.status, conditions } }, { subresource: "status" });

function greet({ health, recorder }: Shell, node: Node): void {
  const { name } = node.metadata;
  if (health.has(name)) return;
  recorder.event(node, "Normal", "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
}

function farewell({ health, recorder }: Shell, name: string): void {
  if (!health.delete(name)) return;
  const about = { apiVersion: "v1", kind: "Node", name, uid: name };
  recorder.event(about, "Normal", "RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`);
}

const sayNotReady = ({ recorder }: Shell, node: Node): void =>
  recorder.event(node, "Normal", "NodeNotReady", `Node ${node.metadata.name} status is now: NodeNotReady`);

/** Source: controller/util/node, MarkPodsNotReady. */
async function markPodsNotReady({ podsOn, client, env, recorder }: Shell, node: Node): Promise<void> {
  for (const pod of podsOn(node.metadata.name).filter(isReady)) {
    const lastTransitionTime = timestamp(env.clock.now());
    const conditions = pod.status?.conditions?.map((condition) =>
      condition.type === "Ready" ? { ...condition, status: "False", lastTransitionTime } : condition,
    );
    recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready");
    try {
      await client.patch(
        podKind,
        targetOf(pod),
        "strategic",
        { metadata: { uid: pod.metadata.uid }, status: { conditions } },
        { subresource: "status" },
      );
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }
}
