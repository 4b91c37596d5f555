/**
 * Gives Services their cluster IPs and node ports, before they are stored, and takes them back.
 * Source: kubernetes pkg/registry/core/service/storage, alloc.go and storage.go.
 *
 * The store is the record: what is taken is worked out anew from the Services at the start. IPv4 only, as the cluster.
 */

import type { Service, ServiceSpec } from "../../api/generated/core-v1.ts";
import type { Env } from "../../lib/env.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { Reader } from "../reader.ts";
import type { Begun, WriteHook } from "../write/hooks.ts";
import { ClusterIpAllocator } from "./clusterIpAllocator.ts";
import { clusterIpOf, withAddress, withBothFields } from "./clusterIps.ts";
import { withFamilies } from "./ipFamilies.ts";
import { NODE_PORT_RANGE, NodePortAllocator, type PortRange } from "./nodePortAllocator.ts";
import { nodePortsOf, withNodePorts } from "./nodePorts.ts";
import { patchedFrom } from "./patchedService.ts";
import type { Taken } from "./taken.ts";

export interface AllocatorOptions {
  /** Source: kubeadm's default. */
  readonly serviceCidr?: string;
  readonly nodePortRange?: PortRange;
}

export const SERVICE_CIDR = "10.96.0.0/16";

export interface Allocators {
  readonly addresses: ClusterIpAllocator;
  readonly ports: NodePortAllocator;
}

const serviceOf = (object: KubeObject) => object as unknown as Service;

export function serviceAllocation(env: Env, reader: Reader, options: AllocatorOptions = {}): WriteHook {
  const { serviceCidr = SERVICE_CIDR, nodePortRange = NODE_PORT_RANGE } = options;
  let allocators = makeAllocators();

  function makeAllocators(): Allocators {
    return {
      addresses: new ClusterIpAllocator(serviceCidr, env.random),
      ports: new NodePortAllocator(nodePortRange, env.random),
    };
  }

  function release({ addresses, ports }: Taken): void {
    for (const address of addresses) allocators.addresses.release(address);
    for (const port of ports) allocators.ports.release(port);
  }

  /** Takes what `service` needs beyond what `previous` has. */
  function begin(service: Service, previous: Service | undefined): Begun {
    const taken: Taken = { addresses: [], ports: [] };
    try {
      const both = withBothFields(service.spec as ServiceSpec, previous?.spec);
      const spec = withFamilies({ ...service, spec: both }, previous);
      const addressed = withAddress({ ...service, spec }, previous, allocators.addresses, taken);
      const object = withNodePorts(addressed, previous, allocators.ports, taken);
      const given = previous === undefined ? NOTHING : freed(previous, object);
      const finish = (hasSucceeded: boolean) => release(hasSucceeded ? given : taken);
      return { object: object as unknown as KubeObject, finish };
    } catch (error) {
      release(taken);
      throw error;
    }
  }

  function repair(): void {
    allocators = makeAllocators();
    for (const service of reader.list<Service>({ group: "", resource: "services" })) {
      const address = clusterIpOf(service);
      if (address !== undefined) allocators.addresses.take(address);
      for (const port of nodePortsOf(service)) allocators.ports.take(port);
    }
  }

  return {
    group: "",
    plural: "services",
    beginCreate: (object) => begin(serviceOf(object), undefined),
    beginUpdate: (next, previous) => begin(patchedFrom(serviceOf(next), serviceOf(previous)), serviceOf(previous)),
    afterDelete: (object) => release(holdings(serviceOf(object))),
    repair,
  };
}

const NOTHING: Taken = { addresses: [], ports: [] };

function holdings(service: Service): Taken {
  const address = clusterIpOf(service);
  return { addresses: address === undefined ? [] : [address], ports: [...nodePortsOf(service)] };
}

/** What the old form held and the new one does not. */
function freed(previous: Service, next: Service): Taken {
  const kept = holdings(next);
  const { addresses, ports } = holdings(previous);
  return {
    addresses: addresses.filter((address) => !kept.addresses.includes(address)),
    ports: ports.filter((port) => !kept.ports.includes(port)),
  };
}
