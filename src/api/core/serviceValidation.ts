/** Source: core/validation validateService, ValidateServiceUpdate, ValidateLoadBalancerStatus (v1.36). */
import type { WriteContext } from "../../machinery/defineKind.ts";
import { type FieldError, FieldPath, forbiddenField, invalid, required } from "../../machinery/fieldErrors.ts";
import { parseIp } from "../../machinery/ipAddress.ts";
import { validateLabels } from "../../machinery/labelSelector.ts";
import { portNumberReasons } from "../../machinery/names.ts";
import {
  because,
  each,
  endpointIp,
  legacyCidr,
  legacyIp,
  neededOneOf,
  oneOf,
  optionalOneOf,
  qualifiedName,
  subdomain,
} from "../checks.ts";
import type { LoadBalancerIngress, Service, ServiceSpec } from "../generated/core-v1.ts";
import { isHeadless, validateServiceAddresses, validateServiceAddressUpdate } from "./serviceAddressValidation.ts";
import { isExternallyAccessible } from "./serviceDefaults.ts";
import { validatePortUse, validateServicePorts } from "./servicePortValidation.ts";

const path = new FieldPath("spec");
const annotationsPath = new FieldPath("metadata").at("annotations");

/** A day. Source: apis/core MaxClientIPServiceAffinitySeconds. */
const AFFINITY_SECONDS_MAX = 86_400;
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
const TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";
const TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";
const NO_SPEC: ServiceSpec = {};

/** Whether a port tells which nodes have endpoints. Source: pkg/api/service NeedsHealthCheck. */
const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === "LoadBalancer" && externalTrafficPolicy === "Local";

function typeErrors(spec: ServiceSpec): FieldError[] {
  const { type, clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalName = "" } = spec;
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless(spec)) {
    return [invalid(path.at("clusterIPs").index(0), "None", `may not be set to 'None' for ${type} services`)];
  }
  if (type !== "ExternalName") return [];
  const unused = "may not be set for ExternalName services";
  const name = externalName.endsWith(".") ? externalName.slice(0, -1) : externalName;
  return [
    ...(clusterIPs.length > 0 ? [forbiddenField(path.at("clusterIPs"), unused)] : []),
    ...(ipFamilies.length > 0 ? [forbiddenField(path.at("ipFamilies"), unused)] : []),
    ...(ipFamilyPolicy !== undefined ? [forbiddenField(path.at("ipFamilyPolicy"), unused)] : []),
    ...(name === "" ? [required(path.at("externalName"))] : subdomain(path.at("externalName"), name)),
  ];
}

function affinityErrors({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const at = path.at("sessionAffinityConfig");
  const errors = neededOneOf(path.at("sessionAffinity"), sessionAffinity, ["ClientIP", "None"]);
  if (sessionAffinity === "None" && sessionAffinityConfig !== undefined) {
    return [...errors, forbiddenField(at, "must not be set when session affinity is None")];
  }
  if (sessionAffinity !== "ClientIP") return errors;
  const reason = "when session affinity type is ClientIP";
  if (sessionAffinityConfig === undefined) return [...errors, required(at, reason)];
  if (sessionAffinityConfig.clientIP === undefined) return [...errors, required(at.at("clientIP"), reason)];
  const seconds = sessionAffinityConfig.clientIP.timeoutSeconds;
  const timeout = at.at("clientIP", "timeoutSeconds");
  if (seconds === undefined) return [...errors, required(timeout, reason)];
  if (seconds > 0 && seconds <= AFFINITY_SECONDS_MAX) return errors;
  return [...errors, invalid(timeout, seconds, `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`)];
}

const externalAddressErrors = ({ externalIPs }: ServiceSpec, before: readonly string[]): FieldError[] =>
  each(path.at("externalIPs"), externalIPs, (address, at) => {
    const errors = legacyIp(at, address, before);
    return errors.length > 0 ? errors : endpointIp(at, address);
  });

/** The path is spelt as upstream spells it. */
function sourceRangeErrors({ metadata, spec = NO_SPEC }: Service, before: ServiceSpec): FieldError[] {
  const { type, loadBalancerSourceRanges: ranges = [] } = spec;
  const at = path.at("LoadBalancerSourceRanges");
  const trimmed = (list: readonly string[] = []) => list.map((range) => range.trim());
  if (ranges.length > 0) {
    const known = trimmed(before.loadBalancerSourceRanges);
    return [
      ...(type === "LoadBalancer" ? [] : [forbiddenField(at, ONLY_LOAD_BALANCER)]),
      ...each(at, trimmed(ranges), (range, index) => legacyCidr(index, range, known)),
    ];
  }
  const annotation = metadata.annotations?.[SOURCE_RANGES];
  if (annotation === undefined) return [];
  const where = annotationsPath.key(SOURCE_RANGES);
  const listed = annotation.trim() === "" ? [] : trimmed(annotation.split(","));
  return [
    ...(type === "LoadBalancer" ? [] : [forbiddenField(where, ONLY_LOAD_BALANCER)]),
    ...listed.flatMap((range) => legacyCidr(where, range)),
  ];
}

function loadBalancerErrors({ type, allocateLoadBalancerNodePorts, loadBalancerClass }: ServiceSpec): FieldError[] {
  if (type === "LoadBalancer") {
    return [
      ...(allocateLoadBalancerNodePorts === undefined
        ? [required(new FieldPath("allocateLoadBalancerNodePorts"))]
        : []),
      ...(loadBalancerClass === undefined ? [] : qualifiedName(path.at("loadBalancerClass"), loadBalancerClass)),
    ];
  }
  return [
    ...(allocateLoadBalancerNodePorts === undefined
      ? []
      : [forbiddenField(path.at("allocateLoadBalancerNodePorts"), ONLY_LOAD_BALANCER)]),
    ...(loadBalancerClass === undefined ? [] : [forbiddenField(path.at("loadBalancerClass"), ONLY_LOAD_BALANCER)]),
  ];
}

function healthCheckErrors(spec: ServiceSpec): FieldError[] {
  const at = path.at("healthCheckNodePort");
  const { healthCheckNodePort: port = 0 } = spec;
  if (!needsHealthCheck(spec)) {
    const reason = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    return port === 0 ? [] : [invalid(at, port, reason)];
  }
  return port === 0 ? [required(at)] : because(at, port, portNumberReasons(port));
}

function trafficErrors(spec: ServiceSpec): FieldError[] {
  const { type = "", externalTrafficPolicy, internalTrafficPolicy, trafficDistribution } = spec;
  const [external, internal] = [path.at("externalTrafficPolicy"), path.at("internalTrafficPolicy")];
  const unreachable = "may only be set for externally-accessible services";
  return [
    ...(isExternallyAccessible(spec)
      ? neededOneOf(external, externalTrafficPolicy, ["Cluster", "Local"])
      : externalTrafficPolicy
        ? [invalid(external, externalTrafficPolicy, unreachable)]
        : []),
    ...healthCheckErrors(spec),
    ...(internalTrafficPolicy === undefined && ["NodePort", "LoadBalancer", "ClusterIP"].includes(type)
      ? [required(internal)]
      : optionalOneOf(internal, internalTrafficPolicy, ["Cluster", "Local"])),
    ...optionalOneOf(path.at("trafficDistribution"), trafficDistribution, DISTRIBUTIONS),
  ];
}

function topologyErrors({ metadata: { annotations } }: Service): FieldError[] {
  const [mode, hints] = [annotations?.[TOPOLOGY_MODE], annotations?.[TOPOLOGY_HINTS]];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const reason = `must match annotations[${TOPOLOGY_HINTS}] when both are specified`;
  return [invalid(annotationsPath.key(TOPOLOGY_MODE), mode, reason)];
}

function serviceErrors(service: Service, before: ServiceSpec): FieldError[] {
  const { spec = NO_SPEC } = service;
  return [
    ...topologyErrors(service),
    ...typeErrors(spec),
    ...validateServicePorts(spec),
    ...validateLabels(spec.selector, path.at("selector")),
    ...affinityErrors(spec),
    ...validateServiceAddresses(spec, before.clusterIPs ?? []),
    ...externalAddressErrors(spec, before.externalIPs ?? []),
    ...neededOneOf(path.at("type"), spec.type, TYPES),
    ...validatePortUse(spec),
    ...sourceRangeErrors(service, before),
    ...loadBalancerErrors(spec),
    ...trafficErrors(spec),
  ];
}

/** On update the old addresses count as valid, so everything is checked in `validateServiceUpdate`. */
export const validateService = (service: Service, { subresource }: WriteContext): FieldError[] =>
  subresource === "status" || service.metadata.resourceVersion ? [] : serviceErrors(service, NO_SPEC);

function ingressErrors({ ip, ipMode, hostname }: LoadBalancerIngress, before: readonly string[], at: FieldPath) {
  const mode = at.at("ipMode");
  const errors = ip ? legacyIp(at.at("ip"), ip, before) : [];
  if (ipMode === undefined) {
    if (ip) errors.push(required(mode, "must be specified when `ip` is set"));
  } else if (!ip) errors.push(forbiddenField(mode, "may not be specified when `ip` is not set"));
  else errors.push(...oneOf(mode, ipMode, ["Proxy", "VIP"]));
  if (!hostname) return errors;
  errors.push(...subdomain(at.at("hostname"), hostname));
  if (parseIp(hostname, { sloppy: true }) !== undefined) {
    errors.push(invalid(at.at("hostname"), hostname, "must be a DNS name, not an IP address"));
  }
  return errors;
}

function statusErrors(next: Service, previous: Service): FieldError[] {
  const at = new FieldPath("status").at("loadBalancer", "ingress");
  const ingress = next.status?.loadBalancer?.ingress ?? [];
  if (next.spec?.type !== "LoadBalancer") {
    return ingress.length === 0 ? [] : [forbiddenField(at, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  const before = (previous.status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  return each(at, ingress, (one, index) => ingressErrors(one, before, index));
}

export function validateServiceUpdate(next: Service, previous: Service, { subresource }: WriteContext): FieldError[] {
  if (subresource === "status") return statusErrors(next, previous);
  const [spec, before] = [next.spec ?? NO_SPEC, previous.spec ?? NO_SPEC];
  const errors = validateServiceAddressUpdate(spec, before);
  const balanced = spec.type === "LoadBalancer" && before.type === "LoadBalancer";
  if (balanced && spec.loadBalancerClass !== before.loadBalancerClass) {
    errors.push(invalid(path.at("loadBalancerClass"), spec.loadBalancerClass, "may not change once set"));
  }
  const checked = needsHealthCheck(spec) && needsHealthCheck(before);
  if (checked && spec.healthCheckNodePort !== before.healthCheckNodePort) {
    errors.push(forbiddenField(path.at("healthCheckNodePort"), "field is immutable"));
  }
  return [...errors, ...serviceErrors(next, before)];
}
