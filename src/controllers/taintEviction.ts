/** Deletes pods from nodes whose taints they do not tolerate, or no longer. Source: pkg/controller/tainteviction. */
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { node as nodeKind, pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { objectKey } from "../client/objectKey.ts";
import { createRecorder, type Recorder } from "../client/recorder.ts";
import { semanticEqual } from "../machinery/deepEqual.ts";
import { isApiError } from "../machinery/errors.ts";
import { timestamp } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { evictionDueMs } from "./node/tolerationTimes.ts";
import { targetOf } from "./ownership.ts";
import { podsOnNode } from "./pods/podsOnNode.ts";

/** Source: taint_eviction.go, UpdateWorkerSize. */
const WORKERS = 8;

export function startTaintEvictionController(context: ControllerContext): RunningController {
  const { env, client, informers } = context;
  const recorder = createRecorder({ env, client, component: "taint-eviction-controller" });
  const pods = informers.of<Pod>(podKind);
  const podsOn = podsOnNode(informers);
  /** When the pods that wait for their end were first seen on a tainted node. */
  const awaited = new Map<string, number>();

  const reconcile = async (key: string, tracked: Client) => {
    const pod = pods.get(key);
    const node = informers.of<Node>(nodeKind).get(pod?.spec?.nodeName ?? "");
    const isStaying = pod === undefined || pod.metadata.deletionTimestamp !== undefined;
    const nowMs = env.clock.now();
    const seenMs = awaited.get(key) ?? nowMs;
    const dueMs = isStaying ? undefined : evictionDueMs(pod, node, seenMs);
    if (pod === undefined || dueMs === undefined) {
      const wasAwaited = awaited.delete(key);
      if (wasAwaited && pod !== undefined && !isStaying) {
        recorder.event(pod, "Normal", "TaintManagerEviction", `Cancelling deletion of Pod ${key}`);
      }
      return;
    }
    const leftMs = dueMs - nowMs;
    if (leftMs > 0) {
      awaited.set(key, seenMs);
      return { requeueAfterMs: leftMs };
    }
    await evict(tracked, recorder, pod, nowMs);
    awaited.delete(key);
  };

  return runController({
    ...context,
    name: "taint-eviction-controller",
    recorder,
    workers: WORKERS,
    watches: [
      watching<Pod>(
        podKind,
        (pod) => (pod.spec?.nodeName === undefined ? [] : [objectKey(pod)]),
        (a, b) => !semanticEqual(a.spec?.tolerations, b.spec?.tolerations) || a.spec?.nodeName !== b.spec?.nodeName,
      ),
      watching<Node>(
        nodeKind,
        ({ metadata }) => podsOn(metadata.name).map(objectKey),
        (a, b) => !semanticEqual(a.spec?.taints, b.spec?.taints),
      ),
    ],
    reconcile,
  });
}

async function evict(client: Client, recorder: Recorder, pod: Pod, nowMs: number): Promise<void> {
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
    lastTransitionTime: timestamp(nowMs),
  };
  recorder.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${objectKey(pod)}`);
  try {
    const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
    await client.patch(podKind, targetOf(pod), "strategic", patch, { subresource: "status" });
    await client.delete(podKind, targetOf(pod), { preconditions: { uid: pod.metadata.uid } });
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
}
