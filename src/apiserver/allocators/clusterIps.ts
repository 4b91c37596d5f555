import type { Service, ServiceSpec } from "../../api/generated/core-v1.ts";
import { FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import { internalError } from "../errors.ts";
import type { ClusterIpAllocator } from "./clusterIpAllocator.ts";
import type { Taken } from "./taken.ts";

const HEADLESS = "None";

/** The address that a Service holds; undefined for a headless one, or a name outside. */
export function clusterIpOf({ spec }: Service): string | undefined {
  const address = spec?.clusterIP ?? "";
  return spec?.type === "ExternalName" || address === "" || address === HEADLESS ? undefined : address;
}

const same = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((address, index) => address === b[index]);

/**
 * The singular field and the plural one are brought together where only one of them was written; what contradicts
 * itself is left to validation. Source: storage.go normalizeClusterIPs.
 */
export function withBothFields(spec: ServiceSpec, before: ServiceSpec | undefined): ServiceSpec {
  const { clusterIP = "", clusterIPs = [] } = spec;
  if (before === undefined) {
    return clusterIP !== "" && clusterIPs.length === 0 ? { ...spec, clusterIPs: [clusterIP] } : spec;
  }
  if (clusterIP === (before.clusterIP ?? "")) {
    return clusterIPs.length === 0 ? withAddresses(spec, before.clusterIPs) : spec;
  }
  if (!same(clusterIPs, before.clusterIPs)) return spec;
  return withAddresses(spec, clusterIP === "" ? undefined : [clusterIP]);
}

function withAddresses(spec: ServiceSpec, addresses: readonly string[] | undefined): ServiceSpec {
  const { clusterIPs: _, ...rest } = spec;
  return addresses === undefined ? rest : { ...rest, clusterIPs: addresses };
}

/** @throws ApiError 422 for an address that cannot be had, 500 when none is left */
export function withAddress(
  service: Service,
  previous: Service | undefined,
  addresses: ClusterIpAllocator,
  taken: Taken,
): Service {
  const spec = service.spec as ServiceSpec;
  if (spec.type === "ExternalName" || spec.clusterIP === HEADLESS) return service;
  if (previous !== undefined && clusterIpOf(previous) !== undefined) return service;
  const wanted = spec.clusterIP ?? "";
  const address = wanted === "" ? addresses.takeNext() : takeWanted(service, wanted, addresses);
  if (address === undefined) throw internalError(new Error("failed to allocate a serviceIP: range is full"));
  taken.addresses.push(address);
  return { ...service, spec: { ...spec, clusterIP: address, clusterIPs: [address] } };
}

function takeWanted({ metadata, spec }: Service, wanted: string, addresses: ClusterIpAllocator): string {
  const problem = addresses.take(wanted);
  if (problem === undefined) return wanted;
  const why =
    problem === "taken"
      ? "provided IP is already allocated"
      : `the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${addresses.cidr}`;
  const path = new FieldPath("spec").at("clusterIPs");
  const error = invalid(path, spec?.clusterIPs ?? [wanted], `failed to allocate IP ${wanted}: ${why}`);
  throw invalidObject({ group: "", kind: "Service" }, metadata.name, [error]);
}
