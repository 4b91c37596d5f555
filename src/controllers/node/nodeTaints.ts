/** What a node's conditions keep off it. Source: node_lifecycle_controller.go, doNoScheduleTaintingPass and doNoExecuteTaintingPass. */
import type { Node, Taint } from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";
import { readyCondition } from "./nodeHealth.ts";

/** Source: api/core/v1 well_known_taints.go. */
export const NOT_READY = "node.kubernetes.io/not-ready";
export const UNREACHABLE = "node.kubernetes.io/unreachable";
export const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";
export const MEMORY_PRESSURE = "node.kubernetes.io/memory-pressure";
export const DISK_PRESSURE = "node.kubernetes.io/disk-pressure";
export const PID_PRESSURE = "node.kubernetes.io/pid-pressure";
export const NETWORK_UNAVAILABLE = "node.kubernetes.io/network-unavailable";

const BY_CONDITION: readonly { readonly type: string; readonly status: string; readonly key: string }[] = [
  { type: "Ready", status: "False", key: NOT_READY },
  { type: "Ready", status: "Unknown", key: UNREACHABLE },
  { type: "MemoryPressure", status: "True", key: MEMORY_PRESSURE },
  { type: "DiskPressure", status: "True", key: DISK_PRESSURE },
  { type: "NetworkUnavailable", status: "True", key: NETWORK_UNAVAILABLE },
  { type: "PIDPressure", status: "True", key: PID_PRESSURE },
];
const NO_SCHEDULE_KEYS: ReadonlySet<string> = new Set([...BY_CONDITION.map(({ key }) => key), UNSCHEDULABLE]);
const NO_EXECUTE_KEYS: ReadonlySet<string> = new Set([NOT_READY, UNREACHABLE]);

/** Whether pods may stay: `evict` puts the taint on, `keep` leaves things as they are, `spare` takes it off. */
export type Eviction = "evict" | "keep" | "spare";

export const isEvicting = ({ spec }: Node): boolean =>
  spec?.taints?.some(({ key, effect }) => effect === "NoExecute" && NO_EXECUTE_KEYS.has(key)) === true;

/** The node's taints as they should be; undefined where nothing changes. */
export function nextTaints(node: Node, eviction: Eviction, nowMs: number): readonly Taint[] | undefined {
  const present = node.spec?.taints ?? [];
  const wanted = [...noSchedule(node), ...noExecute(node, eviction)];
  const isOurs = ({ key, effect }: Taint) =>
    (effect === "NoSchedule" && NO_SCHEDULE_KEYS.has(key)) || (effect === "NoExecute" && NO_EXECUTE_KEYS.has(key));
  const isWanted = (taint: Taint) => wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect);
  const kept = present.filter((taint) => !isOurs(taint) || isWanted(taint));
  const missing = wanted.filter(
    ({ key, effect }) => !present.some((taint) => taint.key === key && taint.effect === effect),
  );
  if (missing.length === 0 && kept.length === present.length) return undefined;
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded: timestamp(nowMs) }))];
}

function noSchedule({ status, spec }: Node): readonly Taint[] {
  const keys = BY_CONDITION.filter(({ type, status: value }) =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === value),
  ).map(({ key }) => key);
  if (spec?.unschedulable === true) keys.push(UNSCHEDULABLE);
  return keys.map((key) => ({ key, effect: "NoSchedule" }));
}

function noExecute(node: Node, eviction: Eviction): readonly Taint[] {
  const ready = readyCondition(node)?.status;
  if (ready === "True" || eviction === "spare") return [];
  if (eviction === "keep" && !isEvicting(node)) return [];
  return [{ key: ready === "Unknown" ? UNREACHABLE : NOT_READY, effect: "NoExecute" }];
}
