/** On which nodes a DaemonSet has pods. Source: pkg/controller/daemon, NodeShouldRunDaemonPod and Predicates. */
import type { DaemonSet } from "../../api/generated/apps-v1.ts";
import type { Affinity, Node, Pod, PodSpec, Toleration } from "../../api/generated/core-v1.ts";
import { nodeRequirementsMatch } from "../../machinery/nodeSelectorTerms.ts";
import { isTolerated } from "../../machinery/tolerations.ts";
import {
  DISK_PRESSURE,
  MEMORY_PRESSURE,
  NETWORK_UNAVAILABLE,
  NOT_READY,
  PID_PRESSURE,
  UNREACHABLE,
  UNSCHEDULABLE,
} from "../node/nodeTaints.ts";

export interface NodeFit {
  /** A pod belongs there. */
  readonly shouldRun: boolean;
  /** One that is there may stay. */
  readonly shouldContinue: boolean;
}

export function fitOf({ spec }: DaemonSet, node: Node): NodeFit {
  const pod = spec.template.spec;
  if ((pod?.nodeName ?? "") !== "" && pod?.nodeName !== node.metadata.name)
    return { shouldRun: false, shouldContinue: false };
  if (!nodeRequirementsMatch(pod, node.metadata)) return { shouldRun: false, shouldContinue: false };
  const tolerations = [...(pod?.tolerations ?? []), ...daemonTolerations(pod)];
  const isRefusedBy = (effect: string) =>
    node.spec?.taints?.some((taint) => taint.effect === effect && !isTolerated(taint, tolerations)) === true;
  const isDriven = isRefusedBy("NoExecute");
  return { shouldRun: !isDriven && !isRefusedBy("NoSchedule"), shouldContinue: !isDriven };
}

/** Daemons stay on a node in trouble, and start there. Source: daemon/util, AddOrUpdateDaemonPodTolerations. */
export function daemonTolerations(pod: PodSpec | undefined): readonly Toleration[] {
  const exists = (key: string, effect: string): Toleration => ({ key, operator: "Exists", effect });
  return [
    exists(NOT_READY, "NoExecute"),
    exists(UNREACHABLE, "NoExecute"),
    exists(DISK_PRESSURE, "NoSchedule"),
    exists(MEMORY_PRESSURE, "NoSchedule"),
    exists(PID_PRESSURE, "NoSchedule"),
    exists(UNSCHEDULABLE, "NoSchedule"),
    ...(pod?.hostNetwork === true ? [exists(NETWORK_UNAVAILABLE, "NoSchedule")] : []),
  ];
}

/** The scheduler binds the pod, but to this node only. Source: ReplaceDaemonSetPodNodeNameNodeAffinity. */
export function affinityTo(nodeName: string, affinity: Affinity | undefined): Affinity {
  const term = { matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] };
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: [term] };
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution } };
}

/** Where a pod runs or is meant to run. Source: GetTargetNodeName. */
export function targetNodeOf({ spec }: Pod): string {
  if ((spec?.nodeName ?? "") !== "") return spec?.nodeName as string;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const [field] = matchFields;
    if (field?.key === "metadata.name" && field.operator === "In") return field.values?.[0] ?? "";
  }
  return "";
}
