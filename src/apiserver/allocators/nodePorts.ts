import type { Service, ServicePort, ServiceSpec } from "../../api/generated/core-v1.ts";
import { FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import { internalError } from "../errors.ts";
import type { NodePortAllocator } from "./nodePortAllocator.ts";
import type { Taken } from "./taken.ts";

/** Source: alloc.go shouldAllocateNodePorts. */
const needsNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean =>
  type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);

/** Source: pkg/api/service NeedsHealthCheck. */
const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === "LoadBalancer" && externalTrafficPolicy === "Local";

/** Every port that a Service holds on the nodes. */
export function nodePortsOf({ spec }: Service): ReadonlySet<number> {
  const ports = (spec?.ports ?? []).map(({ nodePort }) => nodePort ?? 0);
  return new Set([...ports, spec?.healthCheckNodePort ?? 0].filter((port) => port !== 0));
}

/** @throws ApiError 422 for a port that cannot be had, 500 when none is left */
export function withNodePorts(
  service: Service,
  previous: Service | undefined,
  allocator: NodePortAllocator,
  taken: Taken,
): Service {
  const spec = service.spec as ServiceSpec;
  const held = new Set(previous === undefined ? [] : nodePortsOf(previous));
  const take = (port: number | undefined, path: FieldPath): number => {
    if (port !== undefined && port !== 0 && held.has(port)) return port;
    const got = port === undefined || port === 0 ? allocator.takeNext() : takeWanted(service, port, path, allocator);
    if (got === undefined) throw internalError(new Error("failed to allocate a nodePort: range is full"));
    taken.ports.push(got);
    held.add(got);
    return got;
  };
  const isReachable = spec.type === "NodePort" || spec.type === "LoadBalancer";
  const ports = isReachable ? withPorts(spec, take, previous === undefined) : spec.ports;
  const healthCheck = needsHealthCheck(spec)
    ? { healthCheckNodePort: take(spec.healthCheckNodePort, new FieldPath("spec").at("healthCheckNodePort")) }
    : {};
  return { ...service, spec: { ...spec, ...(ports !== undefined && { ports }), ...healthCheck } };
}

/**
 * Of a new Service the same number, under two protocols, is one port of the nodes; later it is not.
 * A balancer that needs none still has those that are asked for. Source: alloc.go initNodePorts, updateNodePorts.
 */
function withPorts(
  spec: ServiceSpec,
  take: (port: number | undefined, path: FieldPath) => number,
  isNew: boolean,
): readonly ServicePort[] {
  const byPort = new Map<number, number>();
  return (spec.ports ?? []).map((port, index) => {
    if (!port.nodePort && !needsNodePorts(spec)) return port;
    const path = new FieldPath("spec").at("ports").index(index).at("nodePort");
    const nodePort = take(port.nodePort || (isNew ? byPort.get(port.port) : undefined), path);
    if (!byPort.has(port.port)) byPort.set(port.port, nodePort);
    return port.nodePort === nodePort ? port : { ...port, nodePort };
  });
}

function takeWanted({ metadata }: Service, port: number, path: FieldPath, allocator: NodePortAllocator): number {
  const problem = allocator.take(port);
  if (problem === undefined) return port;
  const { first, last } = allocator.range;
  const why =
    problem === "taken"
      ? "provided port is already allocated"
      : `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
  throw invalidObject({ group: "", kind: "Service" }, metadata.name, [invalid(path, port, why)]);
}
