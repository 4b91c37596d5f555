/** Gives each node its range of pod addresses. Source: pkg/controller/nodeipam. */
import type { Node } from "../api/generated/core-v1.ts";
import { node as nodeKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { createRecorder } from "../client/recorder.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { plan, type RangeOptions } from "./node/podRanges.ts";

/** Source: kind's and kubeadm's customary range, and --node-cidr-mask-size-ipv4. */
const DEFAULT_RANGES: RangeOptions = { clusterCidr: "10.244.0.0/16", nodeMaskBits: 24 };
/** All nodes are looked at together, so that no range is given twice. */
const KEY = "nodes";

export interface NodeIpamOptions extends ControllerContext {
  readonly podRanges?: RangeOptions;
}

export function startNodeIpamController(options: NodeIpamOptions): RunningController {
  const { env, client, informers, podRanges = DEFAULT_RANGES } = options;
  const recorder = createRecorder({ env, client, component: "cidrAllocator" });
  const reconcile = async (_: string, tracked: Client) => {
    const nodes = informers.of<Node>(nodeKind).list();
    const { assigned, without } = plan(nodes, podRanges);
    for (const [name, range] of assigned) {
      await tracked.patch<Node>(nodeKind, { name }, "merge", { spec: { podCIDR: range, podCIDRs: [range] } });
    }
    for (const node of nodes.filter(({ metadata }) => without.includes(metadata.name))) {
      const message = `Node ${node.metadata.name} status is now: CIDRNotAvailable`;
      recorder.event(node, "Normal", "CIDRNotAvailable", message);
    }
  };
  return runController({
    ...options,
    name: "node-ipam-controller",
    recorder,
    workers: 1,
    watches: [
      watching<Node>(
        nodeKind,
        () => [KEY],
        (before, after) => before.spec?.podCIDR !== after.spec?.podCIDR,
      ),
    ],
    reconcile,
  });
}
