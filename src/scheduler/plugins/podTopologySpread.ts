/**
 * Pods of one kind spread over zones, nodes or other domains. Source: plugins/podtopologyspread. A pod without
 * constraints of its own is spread by those that upstream has built in, if a service or a set stands behind it.
 */
import type { Pod, TopologySpreadConstraint } from "../../api/generated/core-v1.ts";
import { labelSelectorOf, type Selector, selectorMatches } from "../../machinery/labelSelector.ts";
import { nodeRequirementsMatch } from "../../machinery/nodeSelectorTerms.ts";
import { isTolerated } from "../../machinery/tolerations.ts";
import { type ClusterView, NODE_SCORE_MAX, type Rejection, reject, type SchedulerPlugin } from "../framework.ts";
import { countMatchingPods } from "../matchingPods.ts";
import type { NodeInfo } from "../nodeInfo.ts";

const HOSTNAME = "kubernetes.io/hostname";
const ZONE = "topology.kubernetes.io/zone";
/** Source: podtopologyspread plugin.go, systemDefaultConstraints. */
const BUILT_IN = [
  { topologyKey: HOSTNAME, maxSkew: 3 },
  { topologyKey: ZONE, maxSkew: 5 },
];
const MISMATCH = "node(s) didn't match pod topology spread constraints";

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector;
  /** Whether the pods of a node count. */
  readonly includes: (node: NodeInfo) => boolean;
}

interface Spread {
  readonly constraint: Constraint;
  /** Matching pods by domain. */
  readonly counts: Map<string, number>;
  readonly fewest: number;
  readonly self: number;
}

interface Scoring {
  readonly constraints: readonly (Constraint & { readonly weight: number; readonly counts: Map<string, number> })[];
  /** Nodes that lack a label are not for this pod; it would rather be anywhere else. */
  readonly ignored: ReadonlySet<string>;
  readonly namespace: string;
}

const labelOf = ({ node }: NodeInfo, key: string): string | undefined => node.metadata.labels?.[key];

function constraintFrom(pod: Pod, spec: TopologySpreadConstraint): Constraint {
  return {
    topologyKey: spec.topologyKey,
    maxSkew: spec.maxSkew,
    minDomains: spec.minDomains ?? 1,
    selector: labelSelectorOf(spec.labelSelector),
    includes: ({ node }) =>
      (spec.nodeAffinityPolicy === "Ignore" || nodeRequirementsMatch(pod.spec, node.metadata)) &&
      (spec.nodeTaintsPolicy !== "Honor" ||
        !(node.spec.taints ?? []).some(
          (taint) => taint.effect !== "PreferNoSchedule" && !isTolerated(taint, pod.spec.tolerations),
        )),
  };
}

const ownConstraints = (pod: Pod, whenUnsatisfiable: string): readonly Constraint[] =>
  (pod.spec.topologySpreadConstraints ?? [])
    .filter((spec) => spec.whenUnsatisfiable === whenUnsatisfiable)
    .map((spec) => constraintFrom(pod, spec));

function builtInConstraints(pod: Pod, { ownSelector }: ClusterView): readonly Constraint[] {
  const selector = ownSelector(pod);
  if (selector === undefined) return [];
  const includes = ({ node }: NodeInfo) => nodeRequirementsMatch(pod.spec, node.metadata);
  return BUILT_IN.map((each) => ({ ...each, minDomains: 1, selector, includes }));
}

const hasAll = (node: NodeInfo, constraints: readonly Constraint[]): boolean =>
  constraints.every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined);

function addTo(counts: Map<string, number>, domain: string, count: number): void {
  counts.set(domain, (counts.get(domain) ?? 0) + count);
}

/** Source: calPreFilterState. */
function spreads(pod: Pod, { nodes }: ClusterView): readonly Spread[] {
  const constraints = ownConstraints(pod, "DoNotSchedule");
  if (constraints.length === 0) return [];
  const { namespace = "", labels } = pod.metadata;
  const complete = nodes.filter((node) => hasAll(node, constraints));
  return constraints.map((constraint) => {
    const counts = new Map<string, number>();
    for (const node of complete.filter(constraint.includes)) {
      const domain = labelOf(node, constraint.topologyKey) as string;
      addTo(counts, domain, countMatchingPods(node, namespace, constraint.selector));
    }
    // Domains that are still to come have no pods.
    const fewest = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values());
    return { constraint, counts, fewest, self: selectorMatches(constraint.selector, labels) ? 1 : 0 };
  });
}

function misfit(node: NodeInfo, all: readonly Spread[]): Rejection | undefined {
  for (const { constraint, counts, fewest, self } of all) {
    const domain = labelOf(node, constraint.topologyKey);
    if (domain === undefined) return reject(`${MISMATCH} (missing required label)`, { unresolvable: true });
    const skew = (counts.get(domain) ?? 0) + self - (Number.isFinite(fewest) ? fewest : 0);
    if (skew > constraint.maxSkew) return reject(MISMATCH);
  }
  return undefined;
}

/** Source: scoring.go, PreScore. */
function scoringOf(pod: Pod, feasible: readonly NodeInfo[], cluster: ClusterView): Scoring | undefined {
  const isOwn = (pod.spec.topologySpreadConstraints ?? []).length > 0;
  const constraints = isOwn ? ownConstraints(pod, "ScheduleAnyway") : builtInConstraints(pod, cluster);
  if (constraints.length === 0) return undefined;
  const { namespace = "" } = pod.metadata;
  const counted = isOwn ? feasible.filter((node) => hasAll(node, constraints)) : feasible;
  const ignored = new Set(feasible.filter((node) => !counted.includes(node)).map(({ name }) => name));
  const weighted = constraints.map((constraint) => {
    const { topologyKey, includes, selector } = constraint;
    const counts = new Map<string, number>();
    if (topologyKey === HOSTNAME) return { ...constraint, counts, weight: Math.log(counted.length + 2) };
    for (const node of counted) {
      const domain = labelOf(node, topologyKey);
      if (domain !== undefined) counts.set(domain, 0);
    }
    for (const node of counts.size === 0 ? [] : cluster.nodes) {
      const domain = labelOf(node, topologyKey);
      const isCounted = domain !== undefined && counts.has(domain) && includes(node);
      if (isCounted && (!isOwn || hasAll(node, constraints))) {
        addTo(counts, domain, countMatchingPods(node, namespace, selector));
      }
    }
    return { ...constraint, counts, weight: Math.log(counts.size + 2) };
  });
  return { constraints: weighted, ignored, namespace };
}

/** The fewer pods in its domains, the lower: it is turned round afterwards. Source: Score and scoreForCount. */
function scoreOf(node: NodeInfo, { constraints, ignored, namespace }: Scoring): number {
  if (ignored.has(node.name)) return 0;
  let score = 0;
  for (const { topologyKey, selector, counts, weight, maxSkew } of constraints) {
    const domain = labelOf(node, topologyKey);
    if (domain === undefined) continue;
    const count =
      topologyKey === HOSTNAME ? countMatchingPods(node, namespace, selector) : (counts.get(domain) as number);
    score += count * weight + (maxSkew - 1);
  }
  return Math.round(score);
}

/** Source: NormalizeScore. */
function turnRound(scores: number[], feasible: readonly NodeInfo[], { ignored }: Scoring): void {
  const valid = scores.filter((_, index) => !ignored.has((feasible[index] as NodeInfo).name));
  const least = Math.min(...valid);
  const greatest = Math.max(...valid);
  scores.forEach((score, index) => {
    if (ignored.has((feasible[index] as NodeInfo).name)) scores[index] = 0;
    else if (greatest === 0) scores[index] = NODE_SCORE_MAX;
    else scores[index] = Math.floor((NODE_SCORE_MAX * (greatest + least - score)) / greatest);
  });
}

export const podTopologySpread: SchedulerPlugin<readonly Spread[], Scoring> = {
  name: "PodTopologySpread",
  weight: 2,
  prepare: spreads,
  filter: (_pod, node, all) => misfit(node, all),
  prepareScore: scoringOf,
  score: (_pod, node, scoring) => scoreOf(node, scoring),
  normalize: turnRound,
  helpedBy: [
    "node-added",
    "node-labels-changed",
    "node-taints-changed",
    "node-removed",
    "pod-added",
    "pod-removed",
    "pod-changed",
  ],
};
