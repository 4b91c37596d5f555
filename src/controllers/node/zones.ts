/**
 * How fast nodes may be emptied. When much of a zone is out of touch, the fault is more likely ours than theirs.
 * Source: node_lifecycle_controller.go, ComputeZoneState and setLimiterInZone.
 */
import type { Node } from "../../api/generated/core-v1.ts";
import { readyCondition } from "./nodeHealth.ts";

/** One node in ten seconds. Source: --node-eviction-rate. */
const EVICTION_INTERVAL_MS = 10_000;
/** In a large zone that is partly down. Source: --secondary-node-eviction-rate. */
const SECONDARY_INTERVAL_MS = 100_000;
/** Source: --unhealthy-zone-threshold. */
const UNHEALTHY_SHARE = 0.55;
/** Smaller zones that are partly down are left alone. Source: --large-cluster-size-threshold. */
const LARGE_ZONE_NODES = 50;

export const zoneOf = ({ metadata }: Node): string =>
  `${metadata.labels?.["topology.kubernetes.io/region"] ?? ""}/${metadata.labels?.["topology.kubernetes.io/zone"] ?? ""}`;

type ZoneState = "normal" | "partial" | "full";

/** @returns between two evictions in this zone, so long must pass; undefined: none may be. */
export function evictionIntervalMs(nodes: readonly Node[], zone: string): number | undefined | "all-down" {
  const zones = Map.groupBy(nodes, zoneOf);
  const states = [...zones.values()].map(stateOf);
  if (states.length > 0 && states.every((state) => state === "full")) return "all-down";
  const own = zones.get(zone) ?? [];
  if (stateOf(own) !== "partial") return EVICTION_INTERVAL_MS;
  return own.length > LARGE_ZONE_NODES ? SECONDARY_INTERVAL_MS : undefined;
}

function stateOf(nodes: readonly Node[]): ZoneState {
  const down = nodes.filter((node) => readyCondition(node)?.status !== "True").length;
  if (down === nodes.length && down > 0) return "full";
  return down > 2 && down / nodes.length >= UNHEALTHY_SHARE ? "partial" : "normal";
}
