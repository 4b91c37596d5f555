import type { Taint } from "../../api/generated/core-v1.ts";
import { isTolerated } from "../../machinery/tolerations.ts";
import { reject, type SchedulerPlugin } from "../framework.ts";

const UNSCHEDULABLE: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Cordoned nodes. Source: plugins/nodeunschedulable. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: "NodeUnschedulable",
  filter: (pod, { node }) =>
    node.spec.unschedulable !== true || isTolerated(UNSCHEDULABLE, pod.spec.tolerations)
      ? undefined
      : reject("node(s) were unschedulable", { unresolvable: true }),
  helpedBy: ["node-added", "node-taints-changed", "pod-changed"],
};
