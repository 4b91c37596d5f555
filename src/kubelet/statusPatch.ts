import type { PodCondition, PodStatus } from "../api/generated/core-v1.ts";
import { deepEqual } from "../machinery/deepEqual.ts";

type Json = Record<string, unknown>;

/** Lists that a strategic merge patch merges by `ip`, so that what left must be named. */
const IP_LISTS = ["podIPs", "hostIPs"] as const;

function changedConditions(known: PodStatus, wanted: PodStatus): readonly PodCondition[] {
  const before = new Map((known.conditions ?? []).map((condition) => [condition.type, condition]));
  return (wanted.conditions ?? []).filter((condition) => !deepEqual(before.get(condition.type), condition));
}

/** What left out a message or a reason that was there must say so. */
function conditionPatch(known: PodStatus, condition: PodCondition): object {
  const before = known.conditions?.find(({ type }) => type === condition.type);
  return {
    ...condition,
    ...(before?.reason !== undefined && condition.reason === undefined && { reason: null }),
    ...(before?.message !== undefined && condition.message === undefined && { message: null }),
  };
}

/**
 * The strategic merge patch that turns one status into the other, with conditions of others left alone.
 * @returns undefined when there is nothing to change.
 */
export function statusPatch(known: PodStatus, wanted: PodStatus): Json | undefined {
  const patch: Json = {};
  const conditions = changedConditions(known, wanted);
  if (conditions.length > 0) patch.conditions = conditions.map((condition) => conditionPatch(known, condition));
  for (const [key, value] of Object.entries(wanted)) {
    if (key === "conditions" || deepEqual((known as Json)[key], value)) continue;
    patch[key] = value;
  }
  for (const key of ["reason", "message", "ephemeralContainerStatuses"] as const) {
    if (known[key] !== undefined && wanted[key] === undefined) patch[key] = null;
  }
  for (const key of IP_LISTS) {
    if (patch[key] === undefined) continue;
    const kept = new Set((wanted[key] ?? []).map(({ ip }) => ip));
    const left = (known[key] ?? []).filter(({ ip }) => !kept.has(ip));
    patch[key] = [...(wanted[key] ?? []), ...left.map(({ ip }) => ({ ip, $patch: "delete" }))];
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
