/** Which address each Service of type LoadBalancer has. */
import type { LoadBalancerIngress, Service } from "../api/generated/core-v1.ts";
import { objectKey } from "../client/objectKey.ts";
import {
  formatIp,
  type IpPrefix,
  maskedAddress,
  parseCidr,
  parseIp,
  prefixContains,
  prefixSize,
} from "../machinery/ipAddress.ts";

export interface LoadBalancerChange {
  readonly service: Service;
  /** What its status should list; nothing where it is not, or no longer, of that type. */
  readonly ingress: readonly LoadBalancerIngress[];
}

export interface LoadBalancerPlan {
  readonly changes: readonly LoadBalancerChange[];
  /** Services for which no address is left, or not the one that they ask for. */
  readonly without: readonly Service[];
}

/**
 * An address once given stays as long as the service wants one. One that is asked for (`spec.loadBalancerIP`) is given
 * if it is in the range and free; else the lowest free one, the oldest service first. Decides; never acts.
 * @param range such as "172.18.255.0/24"; its first and last address are not given.
 */
export function plan(services: readonly Service[], range: string): LoadBalancerPlan {
  const prefix = parseCidr(range);
  if (prefix === undefined) throw new Error(`${range} is not a range of addresses`);
  const holders = new Map<string, string>();
  const ordered = services.toSorted(byCreation);
  for (const service of ordered.filter(wantsAddress)) {
    const ip = addressOf(service);
    if (ip !== undefined && isUsable(service, ip, prefix) && !holders.has(ip)) holders.set(ip, objectKey(service));
  }
  const changes: LoadBalancerChange[] = [];
  const without: Service[] = [];
  for (const service of ordered) {
    const ip = addressOf(service);
    if (!wantsAddress(service)) {
      if (ip !== undefined && service.spec.loadBalancerClass === undefined) changes.push({ service, ingress: [] });
      continue;
    }
    if (ip !== undefined && holders.get(ip) === objectKey(service)) continue;
    const free = freeAddress(service, prefix, holders);
    if (free === undefined) {
      without.push(service);
      continue;
    }
    holders.set(free, objectKey(service));
    changes.push({ service, ingress: [{ ip: free, ipMode: "VIP" }] });
  }
  return { changes, without };
}

/** A class of its own names another who looks after it. */
const wantsAddress = ({ spec, metadata }: Service): boolean =>
  spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;

const addressOf = ({ status }: Service): string | undefined => status?.loadBalancer?.ingress?.[0]?.ip;

const isUsable = ({ spec }: Service, ip: string, prefix: IpPrefix): boolean => {
  const address = parseIp(ip);
  const isAskedFor = (spec.loadBalancerIP ?? "") === "" || spec.loadBalancerIP === ip;
  return isAskedFor && address !== undefined && prefixContains(prefix, address);
};

function freeAddress({ spec }: Service, prefix: IpPrefix, holders: ReadonlyMap<string, string>): string | undefined {
  const asked = spec.loadBalancerIP ?? "";
  if (asked !== "") {
    const address = parseIp(asked);
    return address !== undefined && prefixContains(prefix, address) && !holders.has(asked) ? asked : undefined;
  }
  const first = maskedAddress(prefix);
  const size = prefixSize(prefix);
  for (let offset = 1n; offset < size - 1n; offset++) {
    const ip = formatIp({ ...first, value: first.value + offset });
    if (!holders.has(ip)) return ip;
  }
  return undefined;
}

const byCreation = (a: Service, b: Service) =>
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  (objectKey(a) < objectKey(b) ? -1 : 1);
