/** Services and their ready endpoints, arranged so that no question has to search. Pure. */

import type { Service } from "../api/generated/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../api/generated/discovery-v1.ts";
import { expandIPv6 } from "./ipv6.ts";

/** What the cluster's DNS knows; a new object whenever anything in it changed, and only then. */
export interface DnsView {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  /** Names of all namespaces. */
  readonly namespaces: readonly string[];
}

export interface EndpointRecords {
  readonly ip: string;
  /** Its own name below the Service's: the pod's hostname, or the address with dashes. */
  readonly hostname: string;
  /** Without any port declared: one entry without a number. */
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port?: number }[];
}

export interface ServiceRecords {
  readonly headless: boolean;
  readonly clusterIPs: readonly string[];
  readonly externalName?: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
  readonly endpoints: readonly EndpointRecords[];
}

export interface DnsIndex {
  readonly zone: string;
  /** "namespace/name" of the Service of the DNS itself. */
  readonly dnsService: string;
  /** Of the zone: grows with every change. */
  readonly serial: number;
  readonly namespaces: ReadonlySet<string>;
  readonly services: ReadonlyMap<string, ServiceRecords>;
  /** Names by reverse name ("1.0.96.10.in-addr.arpa"); made when first asked for, which few views ever are. */
  readonly reverse: () => ReadonlyMap<string, readonly string[]>;
}

/** Source: k8s.io/api discovery/v1, LabelServiceName. */
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

interface Cached {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly records: ServiceRecords;
}

/** Makes indexes of one view after another; Services whose objects did not change are taken over. */
export function dnsIndexer(zone: string, dnsService = "kube-system/kube-dns") {
  let cache = new Map<string, Cached>();
  return (view: DnsView, serial: number): DnsIndex => {
    const slices = Map.groupBy(
      view.slices,
      ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`,
    );
    const next = new Map<string, Cached>();
    for (const service of view.services) {
      const name = `${service.metadata.namespace}/${service.metadata.name}`;
      const own = slices.get(name) ?? [];
      const before = cache.get(name);
      const unchanged = before?.service === service && sameItems(before.slices, own);
      next.set(name, unchanged ? before : { service, slices: own, records: serviceRecords(service, own) });
    }
    cache = next;
    let reverse: Map<string, string[]> | undefined;
    return {
      zone,
      dnsService,
      serial,
      namespaces: new Set(view.namespaces),
      services: new Map([...next].map(([name, { records }]) => [name, records])),
      reverse: () => {
        reverse ??= reverseNames(next, zone);
        return reverse;
      },
    };
  };
}

const sameItems = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((item, place) => item === b[place]);

function serviceRecords({ spec }: Service, slices: readonly EndpointSlice[]): ServiceRecords {
  const external = spec.type === "ExternalName";
  const headless = !external && (spec.clusterIP === "None" || spec.clusterIP === undefined || spec.clusterIP === "");
  return {
    headless,
    clusterIPs: headless || external ? [] : (spec.clusterIPs ?? [spec.clusterIP as string]),
    ...(external ? { externalName: (spec.externalName ?? "").replace(/\.$/, "") } : {}),
    ports: (spec.ports ?? []).map(({ name, port, protocol }) => ({ ...portName(name, protocol), port })),
    endpoints: slices.flatMap((slice) =>
      (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready ?? true)
        .flatMap((endpoint) => endpointRecords(endpoint, slice)),
    ),
  };
}

const portName = (name: string | undefined, protocol: string | undefined) => ({
  name: (name ?? "").toLowerCase(),
  protocol: (protocol ?? "TCP").toLowerCase(),
});

function endpointRecords(endpoint: Endpoint, slice: EndpointSlice): EndpointRecords[] {
  const ports = (slice.ports ?? []).map(({ name, port, protocol }) => ({
    ...portName(name, protocol),
    ...(port === undefined ? {} : { port }),
  }));
  return endpoint.addresses.map((ip) => ({
    ip,
    hostname: (endpoint.hostname || ip.replace(/[.:]/g, "-")).toLowerCase(),
    ports: ports.length > 0 ? ports : [portName("", "TCP")],
  }));
}

/** A cluster IP's name is its Service's; an endpoint has one name for each Service that it serves. */
function reverseNames(cache: ReadonlyMap<string, Cached>, zone: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  const ofService = new Set<string>();
  for (const [key, { records }] of cache) {
    const [namespace, name] = key.split("/");
    for (const ip of records.clusterIPs) {
      names.set(reverseName(ip), [`${name}.${namespace}.svc.${zone}`]);
      ofService.add(reverseName(ip));
    }
  }
  for (const [key, { records }] of cache) {
    const [namespace, name] = key.split("/");
    for (const { ip, hostname } of records.endpoints) {
      const reversed = reverseName(ip);
      if (ofService.has(reversed)) continue;
      const full = `${hostname}.${name}.${namespace}.svc.${zone}`;
      const known = names.get(reversed);
      if (known === undefined) names.set(reversed, [full]);
      else if (!known.includes(full)) known.push(full);
    }
  }
  return names;
}

function reverseName(ip: string): string {
  if (ip.includes(".")) return `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
  const nibbles = expandIPv6(ip).flatMap((group) => [...group.toString(16).padStart(4, "0")]);
  return `${nibbles.reverse().join(".")}.ip6.arpa`;
}
