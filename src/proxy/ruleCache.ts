import type { Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import { type ServiceRule, type ServiceRules, serviceOfSlice, serviceRule } from "./rules.ts";

export interface ServiceView {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  /** Where the node is, if it is known. */
  readonly zone?: string;
}

interface Cached {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly rule: ServiceRule | undefined;
}

/**
 * Rules for the whole view. Objects are immutable, so a Service whose object and whose slices are the same as last time
 * keeps its rule, the very same value: what costs is only what changed.
 */
export function ruleCache(nodeName: string): (view: ServiceView) => ServiceRules {
  let cache = new Map<string, Cached>();
  let zoneBefore: string | undefined;
  return ({ services, slices, zone }) => {
    if (zone !== zoneBefore) cache = new Map();
    zoneBefore = zone;
    const slicesByService = groupSlices(slices);
    const next = new Map<string, Cached>();
    const rules = new Map<string, ServiceRule>();
    for (const service of services) {
      const name = `${service.metadata.namespace}/${service.metadata.name}`;
      const own = slicesByService.get(name) ?? [];
      const before = cache.get(name);
      const cached =
        before !== undefined && before.service === service && sameItems(before.slices, own)
          ? before
          : { service, slices: own, rule: serviceRule(service, own, nodeName, zone) };
      next.set(name, cached);
      if (cached.rule !== undefined) rules.set(name, cached.rule);
    }
    cache = next;
    return rules;
  };
}

function groupSlices(slices: readonly EndpointSlice[]): Map<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = serviceOfSlice(slice);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [slice]);
    else group.push(slice);
  }
  // An informer's order may change; the order of slices must not look like a change of what is in them.
  for (const group of groups.values()) group.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return groups;
}

const sameItems = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);
