/** Everything old goes before anything new comes. Source: pkg/controller/deployment/recreate.go. */
import type { Pod } from "../../api/generated/core-v1.ts";
import { isTerminal } from "../pods/podReadiness.ts";
import { type Rollout, scaleTo } from "./rollout.ts";

/** @returns whether the old sets had pods to give up. */
export function scaleDownAll(rollout: Rollout): boolean {
  const active = rollout.oldSets.filter((set) => set.replicas > 0);
  for (const set of active) scaleTo(rollout, set, 0);
  return active.length > 0;
}

/** Whether a pod of an old set still runs, be it dying. Source: oldPodsRunning. */
export function areOldPodsRunning({ oldSets, newSet }: Rollout, pods: readonly (readonly [uid: string, pod: Pod])[]) {
  if (oldSets.some((set) => set.statusReplicas > 0)) return true;
  const newUid = newSet?.observed?.metadata.uid;
  return pods.some(([uid, pod]) => uid !== newUid && !isTerminal(pod));
}
