/** Which nodes can take a pod, and what the others lack. Source: schedule_one.go, findNodesThatFitPod. */
import type { Pod } from "../api/generated/core-v1.ts";
import { type ClusterView, type Rejection, reject, type SchedulerPlugin, withNode } from "./framework.ts";
import type { NodeInfo } from "./nodeInfo.ts";

/** Upstream looks at every node up to this many and at a share of more. Source: minFeasibleNodesToFind. */
const FEASIBLE_NODES_MIN = 100;
/** Source: numFeasibleNodesToFind, percentage = 50 − nodes / 125, at least 5. */
const percentageOfNodes = (count: number) => Math.max(5, 50 - Math.floor(count / 125));

export const feasibleNodesEnough = (count: number): number =>
  count <= FEASIBLE_NODES_MIN
    ? count
    : Math.max(FEASIBLE_NODES_MIN, Math.floor((count * percentageOfNodes(count)) / 100));

/** Prepared values by plugin name; a plugin without `prepare` gets undefined. */
export type Prepared = ReadonlyMap<string, unknown>;

/** Why nodes were rejected. */
export interface Diagnosis {
  readonly nodeCount: number;
  readonly byNode: ReadonlyMap<string, Rejection>;
  /** Of the nodes that were not even asked. */
  readonly absent: Rejection | undefined;
  /** Nothing about nodes matters: the pod asks for what cannot be. */
  readonly wholesale: Rejection | undefined;
  /** Names of the plugins that said no. */
  readonly plugins: ReadonlySet<string>;
}

export interface Filtered {
  readonly feasible: readonly NodeInfo[];
  readonly prepared: Prepared;
  readonly diagnosis: Diagnosis;
}

export interface FilterInput {
  readonly pod: Pod;
  readonly cluster: ClusterView;
  readonly plugins: readonly SchedulerPlugin[];
  /** Where to begin, so that with many nodes not always the same ones are looked at. */
  readonly startIndex?: number;
  /** Looks at this node alone. */
  readonly only?: NodeInfo;
}

export function filterNodes({ pod, cluster, plugins, startIndex = 0, only }: FilterInput): Filtered {
  const prepared = prepare(pod, cluster, plugins);
  const nodeCount = cluster.nodes.length;
  const { names, limiting, wholesale } = candidates(pod, plugins);
  const byNode = new Map<string, Rejection>();
  const saidNo = new Set<string>(limiting);
  const asked = only === undefined ? cluster.nodes : [only];
  const nodes = names === undefined ? asked : asked.filter(({ name }) => names.has(name));
  const feasible: NodeInfo[] = [];
  const enough = feasibleNodesEnough(nodes.length);
  for (let offset = 0; wholesale === undefined && offset < nodes.length && feasible.length < enough; offset++) {
    const node = nodes[(startIndex + offset) % nodes.length] as NodeInfo;
    const rejected = rejectionBy(pod, node, cluster, plugins, prepared);
    if (rejected === undefined) feasible.push(node);
    else {
      byNode.set(node.name, rejected.rejection);
      saidNo.add(rejected.plugin);
    }
  }
  const absent =
    names === undefined
      ? undefined
      : reject(`node(s) didn't satisfy plugin(s) [${limiting.toSorted().join(" ")}]`, { unresolvable: true });
  return { feasible, prepared, diagnosis: { nodeCount, byNode, absent, wholesale, plugins: saidNo } };
}

export const prepare = (pod: Pod, cluster: ClusterView, plugins: readonly SchedulerPlugin[]): Prepared =>
  new Map(plugins.map((plugin) => [plugin.name, plugin.prepare?.(pod, cluster)]));

function candidates(pod: Pod, plugins: readonly SchedulerPlugin[]) {
  const limiting: string[] = [];
  let names: ReadonlySet<string> | undefined;
  for (const plugin of plugins) {
    const result = plugin.candidates?.(pod);
    if (result === undefined) continue;
    limiting.push(plugin.name);
    if ("reasons" in result) return { names: new Set<string>(), limiting, wholesale: result };
    names = names?.intersection(result) ?? result;
  }
  return { names, limiting, wholesale: undefined };
}

interface RejectionBy {
  readonly plugin: string;
  readonly rejection: Rejection;
}

/**
 * Room that is being made for pods of the same or a higher priority is not for this one; and it must not count on
 * those pods being there either. Source: RunFilterPluginsWithNominatedPods.
 */
function rejectionBy(
  pod: Pod,
  node: NodeInfo,
  cluster: ClusterView,
  plugins: readonly SchedulerPlugin[],
  prepared: Prepared,
): RejectionBy | undefined {
  const before = cluster
    .nominatedTo(node.name)
    .filter((other) => other.metadata.uid !== pod.metadata.uid && priorityOf(other) >= priorityOf(pod));
  if (before.length > 0) {
    const fuller = node.copy();
    for (const other of before) fuller.addPod(other);
    const rejected = rejectionOn(pod, fuller, withNode(cluster, fuller), plugins);
    if (rejected !== undefined) return rejected;
  }
  return firstRejection(pod, node, plugins, prepared);
}

/** As things would be on a changed node. */
export const rejectionOn = (pod: Pod, node: NodeInfo, cluster: ClusterView, plugins: readonly SchedulerPlugin[]) =>
  firstRejection(pod, node, plugins, prepare(pod, cluster, plugins));

function firstRejection(
  pod: Pod,
  node: NodeInfo,
  plugins: readonly SchedulerPlugin[],
  prepared: Prepared,
): RejectionBy | undefined {
  for (const plugin of plugins) {
    const rejection = plugin.filter?.(pod, node, prepared.get(plugin.name));
    if (rejection !== undefined) return { plugin: plugin.name, rejection };
  }
  return undefined;
}

export const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0;
