/**
 * What a node must do with traffic to Services, decided from Services and EndpointSlices: pure, and without a word about
 * nftables, so that another backend can be given the same value.
 *
 * One `ServiceRule` per Service. A rule is made anew only when its Service or one of its slices is another object, so a
 * backend may compare rules by reference.
 *
 * Deliberately absent: SCTP, IPv6.
 */
import type { Service, ServicePort } from "../api/generated/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../api/generated/discovery-v1.ts";
import { type Candidate, categorize, type EndpointGroups } from "./endpointGroups.ts";

export type Protocol = "TCP" | "UDP";

export interface PortRule extends EndpointGroups {
  readonly protocol: Protocol;
  readonly port: number;
  readonly nodePort?: number;
}

export interface ServiceRule {
  /** "namespace/name". */
  readonly name: string;
  readonly clusterIP: string;
  readonly externalIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  /** Who may come in through the load balancer's addresses; empty: everybody. */
  readonly sourceRanges: readonly string[];
  /** How long a client stays with its endpoint; undefined: no affinity. */
  readonly affinitySeconds?: number;
  /** From outside, only endpoints on this node, and the client's address is kept (externalTrafficPolicy: Local). */
  readonly externalLocal: boolean;
  readonly ports: readonly PortRule[];
}

export type ServiceRules = ReadonlyMap<string, ServiceRule>;

/** Source: k8s.io/api discovery/v1, LabelServiceName. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
/** A Service with it is another proxy's. Source: kubernetes pkg/proxy/apis/well_known_labels.go. */
export const SERVICE_PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name";
/** Source: k8s.io/api core/v1, DefaultClientIPServiceAffinitySeconds (three hours). */
export const AFFINITY_SECONDS_DEFAULT = 10_800;

/** "namespace/name" of the Service that a slice belongs to. */
export const serviceOfSlice = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`;

/** The rule for one Service as seen from `nodeName`; undefined for those that have no virtual address. */
export function serviceRule(
  service: Service,
  slices: readonly EndpointSlice[],
  nodeName: string,
  zone?: string,
): ServiceRule | undefined {
  const { spec, metadata } = service;
  if (!hasVirtualAddress(service)) return undefined;
  const internalLocal = spec.internalTrafficPolicy === "Local";
  const external = spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0;
  const externalLocal = external && spec.externalTrafficPolicy === "Local";
  return {
    name: `${metadata.namespace}/${metadata.name}`,
    clusterIP: spec.clusterIP as string,
    externalIPs: (spec.externalIPs ?? []).filter(isIPv4),
    loadBalancerIPs: loadBalancerIPs(service),
    sourceRanges: (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter(isIPv4),
    ...(spec.sessionAffinity === "ClientIP" ? { affinitySeconds: affinitySeconds(service) } : {}),
    externalLocal,
    ports: (spec.ports ?? []).filter(isForwarded).map((port) => ({
      protocol: port.protocol === "UDP" ? "UDP" : "TCP",
      port: port.port,
      ...(port.nodePort ? { nodePort: port.nodePort } : {}),
      ...categorize(candidates(port, slices, nodeName, zone), internalLocal),
    })),
  };
}

const isIPv4 = (address: string): boolean => address.includes(".");

const isForwarded = (port: ServicePort): boolean => port.protocol !== "SCTP";

function hasVirtualAddress({ metadata, spec }: Service): boolean {
  if (spec.type === "ExternalName" || metadata.labels?.[SERVICE_PROXY_NAME_LABEL] !== undefined) return false;
  return spec.clusterIP !== undefined && isIPv4(spec.clusterIP);
}

const affinitySeconds = ({ spec }: Service): number =>
  spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS_DEFAULT;

/** Addresses with ipMode Proxy are answered by the load balancer itself. Source: KEP-1860. */
function loadBalancerIPs({ spec, status }: Service): string[] {
  if (spec.type !== "LoadBalancer") return [];
  return (status?.loadBalancer?.ingress ?? [])
    .filter((ingress) => ingress.ip !== undefined && isIPv4(ingress.ip) && ingress.ipMode !== "Proxy")
    .map((ingress) => ingress.ip as string);
}

/** The endpoints behind one service port: slices carry it by name, with the number that each pod gives it. */
export function candidates(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  nodeName: string,
  zone?: string,
): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== "IPv4") continue;
    const target = slice.ports?.find(
      (one) => (one.name ?? "") === (port.name ?? "") && (one.protocol ?? "TCP") === (port.protocol ?? "TCP"),
    );
    if (target?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const candidate = toCandidate(endpoint, target.port, nodeName, zone);
      if (candidate === undefined) continue;
      const key = `${candidate.ip}:${candidate.port}`;
      // While a pod moves from one slice to another both carry it: the one that may serve counts.
      if (!found.get(key)?.ready) found.set(key, candidate);
    }
  }
  return [...found.values()];
}

/** Absent conditions mean ready, serving and not terminating. Source: k8s.io/api discovery/v1 EndpointConditions. */
function toCandidate(endpoint: Endpoint, port: number, nodeName: string, zone?: string): Candidate | undefined {
  const ip = endpoint.addresses[0];
  if (ip === undefined) return undefined;
  const { ready, serving, terminating } = endpoint.conditions ?? {};
  return {
    ip,
    port,
    local: endpoint.nodeName === nodeName,
    ready: ready ?? true,
    servingTerminating: (serving ?? true) && (terminating ?? false),
    ...hinted("node", endpoint.hints?.forNodes, nodeName),
    ...hinted("zone", endpoint.hints?.forZones, zone),
  };
}

const hinted = (place: "node" | "zone", hints: readonly { readonly name: string }[] | undefined, here?: string) =>
  hints === undefined || hints.length === 0 ? {} : { [place]: hints.some(({ name }) => name === here) };
