/** Carries out a preemption. Source: pkg/scheduler/framework/preemption, prepareCandidate and PreemptPod. */
import type { Pod } from "../api/generated/core-v1.ts";
import { pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import type { Recorder } from "../client/recorder.ts";
import type { Env } from "../lib/env.ts";
import { isApiError } from "../machinery/errors.ts";
import { timestamp } from "../machinery/object.ts";
import { PREEMPTED_BY_SCHEDULER, type Preemption } from "./preemption.ts";

export interface EvictionContext {
  readonly env: Env;
  readonly client: Client;
  readonly recorder: Recorder;
  readonly schedulerName: string;
}

export async function evictVictims(context: EvictionContext, pod: Pod, { victims, nodeName }: Preemption) {
  await Promise.all(victims.map((victim) => evict(context, pod, victim, nodeName)));
}

async function evict({ env, client, recorder, schedulerName }: EvictionContext, pod: Pod, victim: Pod, node: string) {
  const { name, namespace = "", uid } = victim.metadata;
  if (victim.metadata.deletionTimestamp !== undefined) return;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    observedGeneration: victim.metadata.generation,
    reason: PREEMPTED_BY_SCHEDULER,
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: timestamp(env.clock.now()),
  };
  try {
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    await client.patch(podKind, { name, namespace }, "strategic", patch, { subresource: "status" });
    await client.delete(podKind, { name, namespace }, { preconditions: { uid } });
    recorder.event(victim, "Normal", "Preempted", `Preempted by pod ${pod.metadata.uid} on node ${node}`);
  } catch (error) {
    if (!isApiError(error, "NotFound")) env.log.warn("a pod could not be preempted", { namespace, name, error });
  }
}
