/**
 * Pods that want to be near other pods, or far from them; and pods that other pods want so.
 * Source: plugins/interpodaffinity.
 */
import type { Pod, PodAffinityTerm } from "../../api/generated/core-v1.ts";
import { labelSelectorOf, selectorMatches } from "../../machinery/labelSelector.ts";
import { type ClusterView, NODE_SCORE_MAX, type Rejection, reject, type SchedulerPlugin } from "../framework.ts";
import type { NodeInfo } from "../nodeInfo.ts";

/** How much the affinity that a pod there demands counts as a wish. Source: InterPodAffinityArgs. */
const HARD_AFFINITY_WEIGHT = 1;

type Kind = "podAffinity" | "podAntiAffinity";

const required = ({ spec }: Pod, kind: Kind): readonly PodAffinityTerm[] =>
  spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const preferred = ({ spec }: Pod, kind: Kind) =>
  spec.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** Whether a term of one pod means another. Source: framework AffinityTerm.Matches. */
function means(owner: Pod, term: PodAffinityTerm, other: Pod, { namespaceLabels }: ClusterView): boolean {
  const { namespaces = [], namespaceSelector, labelSelector } = term;
  const { namespace = "", labels } = other.metadata;
  const isOwn = namespaces.length === 0 && namespaceSelector === undefined && namespace === owner.metadata.namespace;
  const isNamed = isOwn || namespaces.includes(namespace);
  if (!isNamed && !selectorMatches(labelSelectorOf(namespaceSelector), namespaceLabels(namespace))) return false;
  return selectorMatches(labelSelectorOf(labelSelector), labels);
}

/** Sums by topology key and value: "zone=a". */
type Sums = Map<string, number>;

const domainOf = ({ node }: NodeInfo, { topologyKey }: PodAffinityTerm): string | undefined => {
  const value = node.metadata.labels?.[topologyKey];
  return value === undefined ? undefined : `${topologyKey}=${value}`;
};

function add(sums: Sums, node: NodeInfo, term: PodAffinityTerm, amount: number): void {
  const domain = domainOf(node, term);
  if (domain !== undefined) sums.set(domain, (sums.get(domain) ?? 0) + amount);
}

interface Filtering {
  /** Domains in which there is a pod that keeps this one away. */
  readonly forbidden: Sums;
  readonly near: Sums;
  readonly far: Sums;
  /** It is the first of a group that wants to be together: it may begin anywhere. */
  readonly isFirst: boolean;
}

/** Source: filtering.go, PreFilter. */
function filteringOf(pod: Pod, cluster: ClusterView): Filtering | undefined {
  const affinity = required(pod, "podAffinity");
  const anti = required(pod, "podAntiAffinity");
  const forbidden: Sums = new Map();
  const near: Sums = new Map();
  const far: Sums = new Map();
  const all = affinity.length + anti.length > 0;
  for (const node of cluster.nodes) {
    for (const other of all ? node.pods.values() : node.withAffinity.values()) {
      for (const term of required(other, "podAntiAffinity")) {
        if (means(other, term, pod, cluster)) add(forbidden, node, term, 1);
      }
      // Only a pod that all terms mean can be near.
      if (affinity.length > 0 && affinity.every((term) => means(pod, term, other, cluster))) {
        for (const term of affinity) add(near, node, term, 1);
      }
      for (const term of anti) if (means(pod, term, other, cluster)) add(far, node, term, 1);
    }
  }
  if (!all && forbidden.size === 0) return undefined;
  const isFirst = near.size === 0 && affinity.every((term) => means(pod, term, pod, cluster));
  return { forbidden, near, far, isFirst };
}

function rejection(pod: Pod, node: NodeInfo, { forbidden, near, far, isFirst }: Filtering): Rejection | undefined {
  const isIn = (sums: Sums, term: PodAffinityTerm) => sums.has(domainOf(node, term) ?? "");
  const affinity = required(pod, "podAffinity");
  const isNear =
    affinity.every((term) => isIn(near, term)) ||
    (isFirst && affinity.every((term) => domainOf(node, term) !== undefined));
  if (!isNear) return reject("node(s) didn't match pod affinity rules", { unresolvable: true });
  if (required(pod, "podAntiAffinity").some((term) => isIn(far, term))) {
    return reject("node(s) didn't match pod anti-affinity rules");
  }
  const labels = Object.entries(node.node.metadata.labels ?? {});
  if (forbidden.size > 0 && labels.some(([key, value]) => forbidden.has(`${key}=${value}`))) {
    return reject("node(s) didn't satisfy existing pods anti-affinity rules");
  }
  return undefined;
}

/** What each domain is worth. Source: scoring.go, processExistingPod. */
function worthOf(pod: Pod, cluster: ClusterView): Sums | undefined {
  const wishes = preferred(pod, "podAffinity");
  const dislikes = preferred(pod, "podAntiAffinity");
  const all = wishes.length + dislikes.length > 0;
  const worth: Sums = new Map();
  for (const node of cluster.nodes) {
    for (const other of all ? node.pods.values() : node.withAffinity.values()) {
      const count = (owner: Pod, subject: Pod, term: PodAffinityTerm, weight: number) => {
        if (means(owner, term, subject, cluster)) add(worth, node, term, weight);
      };
      for (const { weight, podAffinityTerm } of wishes) count(pod, other, podAffinityTerm, weight);
      for (const { weight, podAffinityTerm } of dislikes) count(pod, other, podAffinityTerm, -weight);
      for (const term of required(other, "podAffinity")) count(other, pod, term, HARD_AFFINITY_WEIGHT);
      for (const { weight, podAffinityTerm } of preferred(other, "podAffinity")) {
        count(other, pod, podAffinityTerm, weight);
      }
      for (const { weight, podAffinityTerm } of preferred(other, "podAntiAffinity")) {
        count(other, pod, podAffinityTerm, -weight);
      }
    }
  }
  return worth.size === 0 ? undefined : worth;
}

const scoreOf = ({ node }: NodeInfo, worth: Sums): number =>
  Object.entries(node.metadata.labels ?? {}).reduce(
    (sum, [key, value]) => sum + (worth.get(`${key}=${value}`) ?? 0),
    0,
  );

/** From the least to the greatest. Source: NormalizeScore. */
function stretch(scores: number[]): void {
  const least = Math.min(...scores);
  const range = Math.max(...scores) - least;
  scores.forEach((score, index) => {
    scores[index] = range === 0 ? 0 : Math.floor((NODE_SCORE_MAX * (score - least)) / range);
  });
}

export const interPodAffinity: SchedulerPlugin<Filtering | undefined, Sums> = {
  name: "InterPodAffinity",
  weight: 2,
  prepare: filteringOf,
  filter: (pod, node, filtering) => (filtering === undefined ? undefined : rejection(pod, node, filtering)),
  prepareScore: (pod, _feasible, cluster) => worthOf(pod, cluster),
  score: (_pod, node, worth) => scoreOf(node, worth),
  normalize: stretch,
  helpedBy: ["node-added", "node-labels-changed", "pod-added", "pod-removed", "pod-changed"],
};
