/** Which daemon pods are replaced next. Source: pkg/controller/daemon/update.go, rollingUpdate. */
import type { DaemonSet } from "../../api/generated/apps-v1.ts";
import type { Pod } from "../../api/generated/core-v1.ts";
import { isAvailable } from "../pods/podReadiness.ts";
import { scaledCount } from "../rollingLimits.ts";
import { allowsSurge, type ObservedNodes, type PodChanges } from "./daemonPods.ts";
import { fitOf } from "./nodeFit.ts";
import { REVISION_HASH } from "./revisions.ts";

interface OnNode {
  readonly name: string;
  readonly newPod: Pod | undefined;
  readonly oldPod: Pod | undefined;
  /** More than one of either: they are sorted out first. */
  readonly isUnclear: boolean;
}

export function rollingUpdate(observed: ObservedNodes): Pick<PodChanges, "create" | "delete"> {
  const { set, nodes, podsOf, hash, nowMs } = observed;
  const wanted = nodes.filter((node) => fitOf(set, node).shouldRun);
  const onNodes = wanted.map(({ metadata }) => onNode(metadata.name, podsOf.get(metadata.name) ?? [], hash));
  const isUp = (pod: Pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
  const { maxSurge, maxUnavailable } = limitsOf(set, wanted.length);
  return allowsSurge(set) ? surge(onNodes, maxSurge, isUp) : replace(onNodes, maxUnavailable, isUp);
}

function limitsOf({ spec }: DaemonSet, desired: number) {
  const { maxSurge = 0, maxUnavailable = 1 } = spec.updateStrategy?.rollingUpdate ?? {};
  const surgeCount = scaledCount(maxSurge, desired, "up");
  const unavailable = scaledCount(maxUnavailable, desired, "up");
  return { maxSurge: surgeCount, maxUnavailable: surgeCount === 0 && unavailable === 0 ? 1 : unavailable };
}

function onNode(name: string, pods: readonly Pod[], hash: string): OnNode {
  const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const newPods = alive.filter(({ metadata }) => metadata.labels?.[REVISION_HASH] === hash);
  const oldPods = alive.filter(({ metadata }) => metadata.labels?.[REVISION_HASH] !== hash);
  return { name, newPod: newPods[0], oldPod: oldPods[0], isUnclear: newPods.length > 1 || oldPods.length > 1 };
}

type IsUp = (pod: Pod) => boolean;

/** Old pods that are down go at once; of those that are up, as many as may be down. */
function replace(onNodes: readonly OnNode[], maxUnavailable: number, isUp: IsUp) {
  let unavailable = 0;
  const down: Pod[] = [];
  const candidates: Pod[] = [];
  for (const { newPod, oldPod, isUnclear } of onNodes) {
    if (isUnclear || (newPod === undefined) === (oldPod === undefined)) unavailable++;
    else if (newPod !== undefined) unavailable += isUp(newPod) ? 0 : 1;
    else if (oldPod !== undefined && isUp(oldPod)) candidates.push(oldPod);
    else if (oldPod !== undefined) {
      down.push(oldPod);
      unavailable++;
    }
  }
  return { create: [], delete: [...down, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

/** A new pod beside the old one, which goes once the new one is up. */
function surge(onNodes: readonly OnNode[], maxSurge: number, isUp: IsUp) {
  let surging = 0;
  const over: Pod[] = [];
  const allowed: string[] = [];
  const candidates: string[] = [];
  for (const { name, newPod, oldPod, isUnclear } of onNodes) {
    if (isUnclear) surging++;
    else if (oldPod === undefined) continue;
    else if (newPod === undefined) (isUp(oldPod) ? candidates : allowed).push(name);
    else if (!isUp(oldPod) || isUp(newPod)) over.push(oldPod);
    else surging++;
  }
  return { create: [...allowed, ...candidates.slice(0, Math.max(0, maxSurge - surging))], delete: over };
}
