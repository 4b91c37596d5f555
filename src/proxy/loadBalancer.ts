import type { Service } from "../api/generated/core-v1.ts";
import { addressAt, parseCidr } from "./network/addresses.ts";

export interface LoadBalancerPlan {
  /** Address by "namespace/name", for every Service of type LoadBalancer that gets one. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Services for which nothing is left, or whose wished address is taken or out of range. */
  readonly unserved: readonly string[];
}

/**
 * Gives each Service of type LoadBalancer an address of `range`. What has one in the range keeps it (the oldest, where
 * two claim the same); then wished ones (`spec.loadBalancerIP`), then the lowest free. An address of another range, as
 * after the cluster's network moved, is replaced. Services with a `loadBalancerClass` are somebody else's.
 */
export function planLoadBalancers(services: readonly Service[], range: string): LoadBalancerPlan {
  const wanting = services.filter(isOurs).toSorted(byAge);
  const taken = new Map<string, string>();
  const addresses = new Map<string, string>();
  const assign = (service: Service, address: string | undefined): boolean => {
    if (address === undefined || taken.has(address) || !contains(range, address)) return false;
    taken.set(address, nameOf(service));
    addresses.set(nameOf(service), address);
    return true;
  };
  const without = wanting.filter((service) => !assign(service, keptAddress(service)));
  const free = freeAddresses(range, taken);
  const unserved = without.filter((service) => !assign(service, service.spec.loadBalancerIP || free()));
  return { addresses, unserved: unserved.map(nameOf) };
}

const nameOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`;

const isOurs = ({ spec }: Service): boolean => spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined;

function byAge(a: Service, b: Service): number {
  const [ageA, ageB] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (ageA !== ageB) return ageA < ageB ? -1 : 1;
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

/** The address that it has, unless it wishes for another. */
function keptAddress({ spec, status }: Service): string | undefined {
  const has = status?.loadBalancer?.ingress?.[0]?.ip;
  return spec.loadBalancerIP && spec.loadBalancerIP !== has ? undefined : has;
}

function contains(range: string, address: string): boolean {
  const outer = parseCidr(range);
  const inner = parseCidr(`${address}/32`);
  return inner.base >= outer.base && inner.base < outer.base + outer.size;
}

/** Draws free addresses upwards; the first and the last of the range are left out, as on any subnet. */
function freeAddresses(range: string, taken: ReadonlyMap<string, string>): () => string | undefined {
  const { size } = parseCidr(range);
  let offset = 0;
  return () => {
    while (++offset < size - 1) {
      const address = addressAt(range, offset);
      if (!taken.has(address)) return address;
    }
    return undefined;
  };
}
