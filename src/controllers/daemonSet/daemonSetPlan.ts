/** What a DaemonSet does next. Source: pkg/controller/daemon. */
import type { ControllerRevision, DaemonSet, DaemonSetStatus } from "../../api/generated/apps-v1.ts";
import type { Node, Pod } from "../../api/generated/core-v1.ts";
import { omitZeros } from "../omitZeros.ts";
import { isAvailable, isReady, nextAvailabilityMs } from "../pods/podReadiness.ts";
import { manage, type ObservedNodes, podsByNode } from "./daemonPods.ts";
import { fitOf } from "./nodeFit.ts";
import { planRevisions, REVISION_HASH, type RevisionPlan } from "./revisions.ts";
import { rollingUpdate } from "./rollingUpdate.ts";

/** Most creates, and most deletes, in one sync. Source: daemon_controller.go, BurstReplicas. */
export const BURST_PODS_MAX = 250;

export interface ObservedDaemonSet {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Those that it controls. */
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  readonly nowMs: number;
  readonly retryInMs: (nodeName: string) => number;
}

export interface DaemonSetPlan {
  readonly revisions: RevisionPlan;
  /** Names of the nodes that get a pod. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
  readonly status: DaemonSetStatus;
  readonly lookAgainMs: number | undefined;
}

/** Decides; never acts. Same input, same plan. */
export function plan(observed: ObservedDaemonSet): DaemonSetPlan {
  const { set, pods, nodes, nowMs, retryInMs } = observed;
  const revisions = planRevisions(set, observed.revisions, pods);
  const onNodes: ObservedNodes = { set, nodes, podsOf: podsByNode(pods), hash: revisions.hash, nowMs, retryInMs };
  const status = daemonSetStatus(onNodes);
  if (set.metadata.deletionTimestamp !== undefined) {
    const nothing = { create: undefined, update: undefined, remove: [], hash: revisions.hash };
    return { revisions: nothing, create: [], delete: [], status, lookAgainMs: undefined };
  }
  const managed = manage(onNodes);
  const isSettled = managed.create.length === 0 && managed.delete.length === 0;
  // An update goes on only from a settled state, so that nothing counts twice.
  const isRolling = isSettled && set.spec.updateStrategy?.type !== "OnDelete";
  const changes = isRolling ? rollingUpdate(onNodes) : managed;
  const waits = [managed.lookAgainMs, nextAvailabilityMs(pods, set.spec.minReadySeconds ?? 0, nowMs)];
  const known = waits.filter((wait) => wait !== undefined);
  return {
    revisions,
    create: changes.create.slice(0, BURST_PODS_MAX),
    delete: changes.delete.slice(0, BURST_PODS_MAX),
    status,
    lookAgainMs: known.length === 0 ? undefined : Math.min(...known),
  };
}

/** Source: updateDaemonSetStatus. */
function daemonSetStatus({ set, nodes, podsOf, hash, nowMs }: ObservedNodes): DaemonSetStatus {
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const [oldest] = podsOf.get(node.metadata.name) ?? [];
    if (!fitOf(set, node).shouldRun) {
      if (oldest !== undefined) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    if (oldest === undefined) continue;
    counts.current++;
    if (isReady(oldest)) counts.ready++;
    if (isAvailable(oldest, set.spec.minReadySeconds ?? 0, nowMs)) counts.available++;
    if (oldest.metadata.labels?.[REVISION_HASH] === hash) counts.updated++;
  }
  const { collisionCount, conditions } = set.status ?? {};
  return {
    desiredNumberScheduled: counts.desired,
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    ...omitZeros({
      updatedNumberScheduled: counts.updated,
      numberAvailable: counts.available,
      numberUnavailable: counts.desired - counts.available,
      observedGeneration: set.metadata.generation,
    }),
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
}
