import type { Node, NodeSelector, NodeSelectorTerm, Pod } from "../../api/generated/core-v1.ts";
import { nodeRequirementMatches } from "../../machinery/labelSelector.ts";
import { normalizeByGreatest, reject, type SchedulerPlugin } from "../framework.ts";

/** A term without requirements matches nothing. Source: component-helpers nodeaffinity. */
function termMatches(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  const fields = { "metadata.name": node.metadata.name };
  return (
    matchExpressions.every((requirement) => nodeRequirementMatches(requirement, labels)) &&
    matchFields.every((requirement) => nodeRequirementMatches(requirement, fields))
  );
}

const selectorMatches = (selector: NodeSelector, node: Node): boolean =>
  selector.nodeSelectorTerms.some((term) => termMatches(term, node));

const matches = (pod: Pod, node: Node): boolean => {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return selected && (required === undefined || selectorMatches(required, node));
};

/** Node selector and node affinity. Source: plugins/nodeaffinity. */
export const nodeAffinity: SchedulerPlugin = {
  name: "NodeAffinity",
  weight: 2,
  filter: (pod, { node }) =>
    matches(pod, node)
      ? undefined
      : reject("node(s) didn't match Pod's node affinity/selector", { unresolvable: true }),
  score: (pod, { node }) =>
    (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).reduce(
      (sum, { preference, weight }) => sum + (termMatches(preference, node) ? weight : 0),
      0,
    ),
  normalize: (scores) => normalizeByGreatest(scores),
  helpedBy: ["node-added", "node-labels-changed", "pod-changed"],
};
