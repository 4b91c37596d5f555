import { isTolerated } from "../../machinery/tolerations.ts";
import { normalizeByGreatest, reject, type SchedulerPlugin } from "../framework.ts";

/** Source: plugins/tainttoleration; the text names no taint since 1.35. */
export const taintToleration: SchedulerPlugin = {
  name: "TaintToleration",
  weight: 3,
  filter: (pod, { node }) => {
    const untolerated = (node.spec.taints ?? []).some(
      (taint) => taint.effect !== "PreferNoSchedule" && !isTolerated(taint, pod.spec.tolerations),
    );
    return untolerated ? reject("node(s) had untolerated taint(s)", { unresolvable: true }) : undefined;
  },
  score: (pod, { node }) => {
    const relevant = (pod.spec.tolerations ?? []).filter(
      ({ effect = "" }) => effect === "" || effect === "PreferNoSchedule",
    );
    return (node.spec.taints ?? []).filter(
      (taint) => taint.effect === "PreferNoSchedule" && !isTolerated(taint, relevant),
    ).length;
  },
  normalize: (scores) => normalizeByGreatest(scores, { reverse: true }),
  helpedBy: ["node-added", "node-taints-changed", "pod-changed"],
};
