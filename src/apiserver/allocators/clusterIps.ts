import type { Service, ServiceSpec } from "../../api/generated/core-v1.ts";
import { FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import { internalError } from "../errors.ts";
import type { ClusterIpAllocator } from "./clusterIpAllocator.ts";
import type { Taken } from "./serviceAllocation.ts";

const HEADLESS = "None";

/** The address that a Service holds; undefined for a headless one, or a name outside. */
export function clusterIpOf({ spec }: Service): string | undefined {
  const address = spec?.clusterIP ?? "";
  return spec?.type === "ExternalName" || address === "" || address === HEADLESS ? undefined : address;
}

/** Source: alloc.go initIPFamilyFields, for a cluster that has IPv4 alone. */
export function withFamilies(spec: ServiceSpec): ServiceSpec {
  if (spec.type === "ExternalName") return spec;
  const given = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : undefined);
  const synced: ServiceSpec = {
    ...spec,
    ...(given !== undefined && given.length > 0 && { clusterIPs: given, clusterIP: spec.clusterIP || given[0] }),
  };
  if (synced.ipFamilies !== undefined && synced.ipFamilies.length > 0) {
    return { ...synced, ipFamilyPolicy: synced.ipFamilyPolicy ?? "SingleStack" };
  }
  const isHeadless = synced.clusterIP === HEADLESS;
  const hasSelector = Object.keys(synced.selector ?? {}).length > 0;
  // Whoever fills in its endpoints by hand may fill in both families.
  if (isHeadless && !hasSelector && synced.ipFamilyPolicy === undefined) {
    return { ...synced, ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
  }
  return { ...synced, ipFamilies: ["IPv4"], ipFamilyPolicy: synced.ipFamilyPolicy ?? "SingleStack" };
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
