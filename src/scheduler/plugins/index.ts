import type { SchedulerPlugin } from "../framework.ts";
import { imageLocality } from "./imageLocality.ts";
import { interPodAffinity } from "./interPodAffinity.ts";
import { nodeAffinity } from "./nodeAffinity.ts";
import { nodeName } from "./nodeName.ts";
import { nodePorts } from "./nodePorts.ts";
import { nodeResourcesBalancedAllocation } from "./nodeResourcesBalancedAllocation.ts";
import { nodeResourcesFit } from "./nodeResourcesFit.ts";
import { nodeUnschedulable } from "./nodeUnschedulable.ts";
import { podTopologySpread } from "./podTopologySpread.ts";
import { schedulingGates } from "./schedulingGates.ts";
import { taintToleration } from "./taintToleration.ts";
import { volumeBinding } from "./volumeBinding.ts";

/** In upstream's order: the first filter that rejects a node gives the reason. Source: default_plugins.go. */
export const plugins: readonly SchedulerPlugin[] = [
  schedulingGates,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeBinding,
  podTopologySpread,
  interPodAffinity,
  nodeResourcesBalancedAllocation,
  imageLocality,
] as readonly SchedulerPlugin[];
