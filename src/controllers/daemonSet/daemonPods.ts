/** Which pods a DaemonSet lacks and has too many of. Source: pkg/controller/daemon/daemon_controller.go, podsShouldBeOnNode. */
import type { DaemonSet } from "../../api/generated/apps-v1.ts";
import type { Node, Pod } from "../../api/generated/core-v1.ts";
import { isAvailable, isReady, isTerminal } from "../pods/podReadiness.ts";
import { fitOf, targetNodeOf } from "./nodeFit.ts";
import { REVISION_HASH } from "./revisions.ts";

export interface ObservedNodes {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Of each node, oldest first. */
  readonly podsOf: ReadonlyMap<string, readonly Pod[]>;
  readonly hash: string;
  readonly nowMs: number;
  /** How long a node on which a pod failed is left alone; 0: not any more. */
  readonly retryInMs: (nodeName: string) => number;
}

export interface PodChanges {
  /** Names of nodes. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
  /** When a failed pod may be replaced. */
  readonly lookAgainMs: number | undefined;
}

export const allowsSurge = ({ spec }: DaemonSet): boolean => {
  const { maxSurge = 0 } = spec.updateStrategy?.rollingUpdate ?? {};
  return spec.updateStrategy?.type === "RollingUpdate" && maxSurge !== 0 && maxSurge !== "0%";
};

/** The target node of each pod, those that are about to vanish left out. Source: getNodesToDaemonPods. */
export function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const alive = pods.filter((pod) => !(isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined));
  return Map.groupBy(alive.toSorted(byAge), targetNodeOf);
}

const byAge = (a: Pod, b: Pod): number =>
  Number((b.spec?.nodeName ?? "") !== "") - Number((a.spec?.nodeName ?? "") !== "") ||
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

export function manage(observed: ObservedNodes): PodChanges {
  const { set, nodes, podsOf, retryInMs } = observed;
  const create: string[] = [];
  const remove: Pod[] = [];
  const waits: number[] = [];
  for (const node of nodes) {
    const { name } = node.metadata;
    const { shouldRun, shouldContinue } = fitOf(set, node);
    const pods = podsOf.get(name) ?? [];
    if (shouldRun && pods.length === 0) create.push(name);
    else if (!shouldContinue) remove.push(...pods.filter(isStaying));
    else {
      const ended = pods.filter((pod) => isStaying(pod) && isTerminal(pod));
      const waitMs = ended.some(({ status }) => status?.phase === "Failed") ? retryInMs(name) : 0;
      if (waitMs > 0) waits.push(waitMs);
      remove.push(...ended.filter(({ status }) => status?.phase === "Succeeded" || waitMs === 0));
      const running = pods.filter((pod) => isStaying(pod) && !isTerminal(pod));
      if (allowsSurge(set) && running.length === 0 && shouldRun && ended.length === 0) create.push(name);
      remove.push(...excess(observed, running));
    }
  }
  remove.push(...lostPods(observed));
  return { create, delete: remove, lookAgainMs: waits.length === 0 ? undefined : Math.min(...waits) };
}

const isStaying = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined;

/** One pod a node; while one surges, an old and a new one until the new one is available. */
function excess({ set, hash, nowMs }: ObservedNodes, running: readonly Pod[]): readonly Pod[] {
  if (running.length <= 1) return [];
  if (!allowsSurge(set)) return running.slice(1);
  const isNew = (pod: Pod) => pod.metadata.labels?.[REVISION_HASH] === hash;
  const [newest, ...otherNew] = running.filter(isNew);
  const [oldest, ...otherOld] = running.filter((pod) => !isNew(pod));
  const isOldOver =
    oldest !== undefined &&
    newest !== undefined &&
    (!isReady(oldest) || isAvailable(newest, set.spec.minReadySeconds ?? 0, nowMs));
  return [...otherNew, ...otherOld, ...(isOldOver ? [oldest] : [])];
}

/** Meant for nodes that are no more, and so never to be scheduled. Source: getUnscheduledPodsWithoutNode. */
function lostPods({ nodes, podsOf }: ObservedNodes): readonly Pod[] {
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  return [...podsOf]
    .filter(([name]) => !names.has(name))
    .flatMap(([, pods]) => pods.filter((pod) => (pod.spec?.nodeName ?? "") === "" && isStaying(pod)));
}
