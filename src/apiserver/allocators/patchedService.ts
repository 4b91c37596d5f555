/** An update keeps what was allocated, and lets go of what the new type cannot have. Source: service strategy.go, storage.go. */
import type { Service, ServicePort, ServiceSpec } from "../../api/generated/core-v1.ts";

const hasAddress = ({ type }: ServiceSpec) => type !== "ExternalName";
const hasNodePorts = ({ type }: ServiceSpec) => type === "NodePort" || type === "LoadBalancer";

export function patchedFrom(next: Service, previous: Service): Service {
  const before = previous.spec as ServiceSpec;
  const spec = keptNodePorts(keptAddress(dropped(next.spec as ServiceSpec, before), before), before);
  return { ...next, spec };
}

/** Source: patchAllocatedValues. */
function keptAddress(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  if (!hasAddress(before) || !hasAddress(spec)) return spec;
  const isUnset = (spec.clusterIP ?? "") === "" && (spec.clusterIPs ?? []).length === 0;
  return {
    ...spec,
    ...(isUnset && { clusterIP: before.clusterIP, clusterIPs: before.clusterIPs }),
    ...(spec.ipFamilies === undefined && { ipFamilies: before.ipFamilies }),
    ...(spec.ipFamilyPolicy === undefined && { ipFamilyPolicy: before.ipFamilyPolicy }),
  };
}

function keptNodePorts(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  if (!hasNodePorts(before) || !hasNodePorts(spec)) return spec;
  const known = new Map((before.ports ?? []).map((port) => [portKey(port), port.nodePort ?? 0]));
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  const ports = (spec.ports ?? []).map((port) => {
    const nodePort = known.get(portKey(port)) ?? 0;
    return port.nodePort || nodePort === 0 || used.has(nodePort) ? port : { ...port, nodePort };
  });
  const { healthCheckNodePort = 0 } = before;
  const keepsCheck = healthCheckNodePort !== 0 && !spec.healthCheckNodePort && spec.externalTrafficPolicy === "Local";
  return { ...spec, ports, ...(keepsCheck && { healthCheckNodePort }) };
}

const portKey = ({ protocol = "TCP", port }: ServicePort) => `${protocol}/${port}`;

/** Source: service strategy.go dropTypeDependentFields: what is left over from the type that it was. */
function dropped(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  let next = spec;
  const keeps = (name: keyof ServiceSpec) => JSON.stringify(next[name]) === JSON.stringify(before[name]);
  if (hasAddress(before) && !hasAddress(next) && keeps("clusterIP") && keeps("clusterIPs")) {
    const { clusterIP: _, clusterIPs: __, ipFamilies: ___, ipFamilyPolicy: ____, ...rest } = next;
    next = rest;
  }
  if (hasNodePorts(before) && !hasNodePorts(next)) next = withoutNodePorts(next, before);
  const neededCheck = before.type === "LoadBalancer" && before.externalTrafficPolicy === "Local";
  const needsCheck = next.type === "LoadBalancer" && next.externalTrafficPolicy === "Local";
  if (neededCheck && !needsCheck && keeps("healthCheckNodePort")) {
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
