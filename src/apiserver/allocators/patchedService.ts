/** An update keeps what was allocated, and lets go of what the new type cannot have. Source: service strategy.go, storage.go. */
import type { Service, ServiceSpec } from "../../api/generated/core-v1.ts";

const hasAddress = ({ type }: ServiceSpec) => type !== "ExternalName";
const hasNodePorts = ({ type }: ServiceSpec) => type === "NodePort" || type === "LoadBalancer";
/** Source: storage.go needsNodePort. */
const getsNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec) =>
  type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
const needsCheck = ({ type, externalTrafficPolicy }: ServiceSpec) =>
  type === "LoadBalancer" && externalTrafficPolicy === "Local";

export function patchedFrom(next: Service, previous: Service): Service {
  const before = previous.spec as ServiceSpec;
  const spec = keptNodePorts(keptAddress(dropped(next.spec as ServiceSpec, before), before), before);
  return { ...next, spec };
}

/** Source: patchAllocatedValues. */
function keptAddress(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  if (!hasAddress(before) || !hasAddress(spec)) return spec;
  return {
    ...spec,
    ...((spec.clusterIP ?? "") === "" && { clusterIP: before.clusterIP }),
    ...((spec.clusterIPs ?? []).length === 0 && { clusterIPs: before.clusterIPs }),
  };
}

/** A port is known by its name, so that it keeps its number on the nodes whatever else of it changes. */
function keptNodePorts(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const kept = getsNodePorts(before) && getsNodePorts(spec) ? withOldNodePorts(spec, before) : spec;
  const { healthCheckNodePort = 0 } = before;
  const keepsCheck = healthCheckNodePort !== 0 && !spec.healthCheckNodePort && needsCheck(before) && needsCheck(spec);
  return keepsCheck ? { ...kept, healthCheckNodePort } : kept;
}

function withOldNodePorts(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const known = new Map((before.ports ?? []).map(({ name = "", nodePort = 0 }) => [name, nodePort]));
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  const ports = (spec.ports ?? []).map((port) => {
    const nodePort = known.get(port.name ?? "") ?? 0;
    return port.nodePort || nodePort === 0 || used.has(nodePort) ? port : { ...port, nodePort };
  });
  return { ...spec, ports };
}

/** Source: service strategy.go dropTypeDependentFields: what is left over from the type that it was. */
function dropped(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  let next = spec;
  const keeps = (name: keyof ServiceSpec) => JSON.stringify(next[name]) === JSON.stringify(before[name]);
  if (hasAddress(before) && !hasAddress(next)) {
    const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, ...rest } = next;
    next = {
      ...rest,
      ...(!(keeps("clusterIP") && keeps("clusterIPs")) && { clusterIP, clusterIPs }),
      ...(!keeps("ipFamilies") && { ipFamilies }),
      ...(!keeps("ipFamilyPolicy") && { ipFamilyPolicy }),
    } as ServiceSpec;
  }
  if (hasNodePorts(before) && !hasNodePorts(next)) next = withoutNodePorts(next, before);
  if (needsCheck(before) && !needsCheck(next) && keeps("healthCheckNodePort")) {
    const { healthCheckNodePort: _, ...rest } = next;
    next = rest;
  }
  return next;
}

/** Only when all of them are as they were: whoever sets one wants it, and is told that it cannot be. */
function withoutNodePorts(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const was = new Set((before.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  const isUnchanged = (spec.ports ?? []).every(({ nodePort = 0 }) => nodePort === 0 || was.has(nodePort));
  if (!isUnchanged) return spec;
  return { ...spec, ports: (spec.ports ?? []).map(({ nodePort: _, ...port }) => port) };
}
