import type { NodeSelectorTerm } from "../../api/generated/core-v1.ts";
import { nodeRequirementsMatch, nodeTermMatches } from "../../machinery/nodeSelectorTerms.ts";
import { normalizeByGreatest, reject, type SchedulerPlugin } from "../framework.ts";

/** The only nodes that these terms can mean, where all of them name nodes. Source: PreFilter. */
function namedNodes(terms: readonly NodeSelectorTerm[]): ReadonlySet<string> | undefined {
  let names: ReadonlySet<string> = new Set();
  for (const { matchFields = [] } of terms) {
    const wanted = matchFields
      .filter(({ key, operator }) => key === "metadata.name" && operator === "In")
      .map(({ values = [] }) => new Set(values));
    // This term may mean any node, and one term is enough.
    if (wanted.length === 0) return undefined;
    names = names.union(wanted.reduce((all, each) => all.intersection(each)));
  }
  return names;
}

/** Node selector and node affinity. Source: plugins/nodeaffinity. */
export const nodeAffinity: SchedulerPlugin = {
  name: "NodeAffinity",
  weight: 2,
  candidates: ({ spec }) => {
    const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const names = required === undefined ? undefined : namedNodes(required.nodeSelectorTerms);
    return names?.size === 0 ? reject("pod affinity terms conflict", { unresolvable: true }) : names;
  },
  filter: (pod, { node }) =>
    nodeRequirementsMatch(pod.spec, node.metadata)
      ? undefined
      : reject("node(s) didn't match Pod's node affinity/selector", { unresolvable: true }),
  score: (pod, { node }) =>
    (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).reduce(
      (sum, { preference, weight }) => sum + (nodeTermMatches(preference, node.metadata) ? weight : 0),
      0,
    ),
  normalize: (scores) => normalizeByGreatest(scores),
  helpedBy: ["node-added", "node-labels-changed", "pod-changed"],
};
