/** Which range of pod addresses each node gets. Source: pkg/controller/nodeipam/ipam/range_allocator.go. */
import type { Node } from "../../api/generated/core-v1.ts";
import { formatCidr, maskedAddress, parseCidr } from "../../machinery/ipAddress.ts";

export interface RangeOptions {
  /** Of the whole cluster: "10.244.0.0/16". */
  readonly clusterCidr: string;
  /** Source: --node-cidr-mask-size-ipv4. */
  readonly nodeMaskBits: number;
}

export interface RangePlan {
  /** By node's name. */
  readonly assigned: ReadonlyMap<string, string>;
  /** Nodes for which nothing is left. */
  readonly without: readonly string[];
}

/** The lowest free range each, to the oldest node first. Decides; never acts. */
export function plan(nodes: readonly Node[], { clusterCidr, nodeMaskBits }: RangeOptions): RangePlan {
  const cluster = parseCidr(clusterCidr);
  if (cluster === undefined) throw new Error(`${clusterCidr} is not a range of addresses`);
  const taken = new Set(
    nodes.flatMap(({ spec }) => spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR])),
  );
  const base = maskedAddress(cluster);
  const step = 1n << BigInt(32 - nodeMaskBits);
  const count = 1 << (nodeMaskBits - cluster.bits);
  const assigned = new Map<string, string>();
  const without: string[] = [];
  let index = 0;
  const next = () => {
    for (; index < count; index++) {
      const address = { ...base, value: base.value + BigInt(index) * step };
      const range = formatCidr({ address, bits: nodeMaskBits });
      if (taken.has(range)) continue;
      taken.add(range);
      return range;
    }
    return undefined;
  };
  for (const { metadata, spec } of nodes.toSorted(byCreation)) {
    if ((spec?.podCIDR ?? "") !== "" || metadata.deletionTimestamp !== undefined) continue;
    const range = next();
    if (range === undefined) without.push(metadata.name);
    else assigned.set(metadata.name, range);
  }
  return { assigned, without };
}

const byCreation = (a: Node, b: Node) =>
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);
