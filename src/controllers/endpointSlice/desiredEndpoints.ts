/** What a service's slices should say. Source: staging/src/k8s.io/endpointslice utils.go. */
import type { Node, Pod, Service } from "../../api/generated/core-v1.ts";
import type { Endpoint, EndpointPort } from "../../api/generated/discovery-v1.ts";
import { addressesOf, isPublished, portsOf, publishedHostname } from "../endpoints/servicePods.ts";
import { isReady } from "../pods/podReadiness.ts";

/** Source: api/core/v1 well_known_labels.go. */
const ZONE_LABEL = "topology.kubernetes.io/zone";

export type AddressType = "IPv4" | "IPv6";

/** Endpoints that share their ports stand in slices together. */
export interface PortGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface Behind {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
}

/** Services of either family, both or, before the API server has chosen, none. Source: getAddressTypesForService. */
export const addressTypesOf = ({ spec }: Service): readonly AddressType[] => {
  const families = spec.ipFamilies ?? [];
  if (families.length > 0) return families.filter((family) => family === "IPv4" || family === "IPv6");
  return spec.clusterIP?.includes(":") === true ? ["IPv6"] : ["IPv4"];
};

/** A node that is not known keeps its pods out: they may be of the past. Their names are returned. */
export function desiredEndpoints(
  { service, pods, nodeOf }: Behind,
  addressType: AddressType,
): { readonly groups: ReadonlyMap<string, PortGroup>; readonly withoutNode: readonly string[] } {
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  const withoutNode: string[] = [];
  for (const pod of pods) {
    if (!isPublished(pod, true)) continue;
    const node = nodeOf(pod.spec?.nodeName ?? "");
    if (node === undefined && service.spec.publishNotReadyAddresses !== true) {
      withoutNode.push(pod.metadata.name);
      continue;
    }
    const ports = portsOf(service, pod);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    const addresses = addressesOf(pod).filter((ip) => ip.includes(":") === (addressType === "IPv6"));
    if (addresses.length > 0) group.endpoints.push(endpointOf(service, pod, node, addresses));
  }
  return { groups, withoutNode };
}

/** Ports are compared whole, in any order. Source: NewPortMapKey. */
export const portsKey = (ports: readonly EndpointPort[] | null | undefined): string =>
  (ports ?? [])
    .map(({ name = "", port, protocol = "TCP", appProtocol }) => `${name} ${port} ${protocol} ${appProtocol ?? ""}`)
    .sort()
    .join("\n");

function endpointOf(service: Service, pod: Pod, node: Node | undefined, addresses: readonly string[]): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const { namespace, name, uid } = pod.metadata;
  const zone = node?.metadata.labels?.[ZONE_LABEL];
  const hostname = publishedHostname(pod, service);
  const nodeName = pod.spec?.nodeName;
  const hints = hintsOf(service.spec.trafficDistribution, ready, zone, nodeName);
  return {
    addresses: [...addresses],
    conditions: { ready, serving, terminating },
    targetRef: { kind: "Pod", ...(namespace !== undefined && { namespace }), name, uid },
    ...(nodeName !== undefined && nodeName !== "" && { nodeName }),
    ...(zone !== undefined && zone !== "" && { zone }),
    ...(hostname !== undefined && { hostname }),
    ...(hints !== undefined && { hints }),
  };
}

/** Source: endpointslice trafficdist, closeTrafficDistribution. */
const CLOSE_DISTRIBUTIONS: ReadonlySet<string> = new Set(["PreferClose", "PreferSameZone", "PreferSameNode"]);

/** Source: endpointslice trafficdist, ReconcileHints. */
function hintsOf(
  distribution: string | undefined,
  ready: boolean,
  zone: string | undefined,
  node: string | undefined,
): Endpoint["hints"] {
  if (!ready || distribution === undefined || !CLOSE_DISTRIBUTIONS.has(distribution)) return undefined;
  const forZones = zone === undefined || zone === "" ? [] : [{ name: zone }];
  const forNodes = distribution !== "PreferSameNode" || node === undefined || node === "" ? [] : [{ name: node }];
  if (forZones.length + forNodes.length === 0) return undefined;
  return { ...(forZones.length > 0 && { forZones }), ...(forNodes.length > 0 && { forNodes }) };
}
