/** Source: pkg/api/service/warnings.go, GetWarningsForService (v1.36). */
import { FieldPath } from "../../machinery/fieldErrors.ts";
import { cidrWarnings, ipWarnings } from "../../machinery/ipWarnings.ts";
import type { Service, ServiceSpec } from "../generated/core-v1.ts";

const specPath = new FieldPath("spec");
const OLD_TOPOLOGY_ANNOTATION = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_ANNOTATION = "service.kubernetes.io/topology-mode";

const isHeadless = ({ type, clusterIP }: ServiceSpec): boolean => type === "ClusterIP" && clusterIP === "None";

function headlessWarnings({ loadBalancerIP, externalIPs = [], sessionAffinity }: ServiceSpec): string[] {
  const ignored = {
    loadBalancerIP: Boolean(loadBalancerIP),
    externalIPs: externalIPs.length > 0,
    SessionAffinity: sessionAffinity !== "None",
  };
  return Object.entries(ignored)
    .filter(([, isSet]) => isSet)
    .map(([field]) => `spec.${field} is ignored for headless services`);
}

function addressWarnings({ clusterIP, clusterIPs = [] }: ServiceSpec): string[] {
  if (!clusterIP || clusterIP === "None") return [];
  return clusterIPs.flatMap((address, index) => ipWarnings(specPath.at("clusterIPs").index(index), address));
}

function externalIpWarnings(spec: ServiceSpec): string[] {
  const { externalIPs = [], type } = spec;
  const warnings = externalIPs.flatMap((address, index) =>
    ipWarnings(specPath.at("externalIPs").index(index), address),
  );
  if (externalIPs.length === 0 || isHeadless(spec) || type === "ExternalName") return warnings;
  return [...warnings, "spec.externalIPs is deprecated and may no longer be implemented in some clusters"];
}

function nameWarnings({ type, externalIPs = [], externalName }: ServiceSpec): string[] {
  if (type !== "ExternalName") {
    return externalName ? ['spec.externalName is ignored when spec.type is not "ExternalName"'] : [];
  }
  return externalIPs.length > 0 ? ['spec.externalIPs is ignored when spec.type is "ExternalName"'] : [];
}

export function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const { loadBalancerIP, loadBalancerSourceRanges: ranges = [], trafficDistribution } = spec;
  const warnings: string[] = [];
  if (metadata.annotations?.[OLD_TOPOLOGY_ANNOTATION] !== undefined) {
    warnings.push(`annotation ${OLD_TOPOLOGY_ANNOTATION} is deprecated, please use ${TOPOLOGY_ANNOTATION} instead`);
  }
  warnings.push(
    ...addressWarnings(spec),
    ...(isHeadless(spec) ? headlessWarnings(spec) : []),
    ...externalIpWarnings(spec),
    ...(loadBalancerIP ? ipWarnings(specPath.at("loadBalancerIP"), loadBalancerIP) : []),
    ...ranges.flatMap((range, index) => cidrWarnings(specPath.at("loadBalancerSourceRanges").index(index), range)),
    ...nameWarnings(spec),
  );
  if (trafficDistribution === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
