import { nodeRequirementsMatch, nodeTermMatches } from "../../machinery/nodeSelectorTerms.ts";
import { normalizeByGreatest, reject, type SchedulerPlugin } from "../framework.ts";

/** Node selector and node affinity. Source: plugins/nodeaffinity. */
export const nodeAffinity: SchedulerPlugin = {
  name: "NodeAffinity",
  weight: 2,
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
