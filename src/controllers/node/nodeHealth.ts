/** Whether a node is still heard of. Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go. */
import type { Lease } from "../../api/generated/coordination-v1.ts";
import type { Node, NodeCondition } from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";

/** After this long without a sign of life nothing about a node is known. Source: --node-monitor-grace-period, 1.32 on. */
export const GRACE_MS = 50_000;
/** For a node that has never said anything. Source: --node-startup-grace-period. */
export const STARTUP_GRACE_MS = 60_000;
/** These become unknown together. Source: tryUpdateNodeHealth. */
const WATCHED_CONDITIONS = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

export interface NodeHealth {
  /** When a sign of life was last seen, on our own clock. */
  readonly seenMs: number;
  /** What the last signs were: a change of either is a new one. */
  readonly heartbeat: string;
  readonly renewal: string;
}

export const readyCondition = ({ status }: Node): NodeCondition | undefined =>
  status?.conditions?.find(({ type }) => type === "Ready");

/** A node's clock is not trusted: what counts is when its signs change here. */
export function nextHealth(
  before: NodeHealth | undefined,
  node: Node,
  lease: Lease | undefined,
  nowMs: number,
): NodeHealth {
  const ready = readyCondition(node);
  const isOwnWord = ready !== undefined && ready.status !== "Unknown";
  const heartbeat = isOwnWord ? (ready.lastHeartbeatTime ?? "") : (before?.heartbeat ?? "");
  const renewal = lease?.spec?.renewTime ?? "";
  if (before === undefined) {
    const isSilent = ready === undefined && renewal === "";
    return { seenMs: isSilent ? Date.parse(node.metadata.creationTimestamp) : nowMs, heartbeat, renewal };
  }
  const isSeen = heartbeat !== before.heartbeat || renewal !== before.renewal;
  return isSeen ? { seenMs: nowMs, heartbeat, renewal } : before;
}

export interface HealthVerdict {
  /** The node's conditions, if they have to change. */
  readonly conditions: readonly NodeCondition[] | undefined;
  /** When the node will be out of touch if nothing is heard. */
  readonly lookAgainMs: number | undefined;
}

export function judge(node: Node, { seenMs }: NodeHealth, nowMs: number): HealthVerdict {
  const graceMs = readyCondition(node) === undefined ? STARTUP_GRACE_MS : GRACE_MS;
  const leftMs = seenMs + graceMs - nowMs;
  if (leftMs >= 0) return { conditions: undefined, lookAgainMs: leftMs + 1 };
  const present = node.status?.conditions ?? [];
  const isKnown = (type: string) => present.find((condition) => condition.type === type)?.status !== "Unknown";
  if (!WATCHED_CONDITIONS.some(isKnown)) return { conditions: undefined, lookAgainMs: undefined };
  return { conditions: unknownConditions(node, nowMs), lookAgainMs: undefined };
}

function unknownConditions(node: Node, nowMs: number): readonly NodeCondition[] {
  const present = node.status?.conditions ?? [];
  const now = timestamp(nowMs);
  const changed = present.map((condition) => {
    if (!WATCHED_CONDITIONS.includes(condition.type) || condition.status === "Unknown") return condition;
    const [reason, message] = ["NodeStatusUnknown", "Kubelet stopped posting node status."];
    return { ...condition, status: "Unknown", reason, message, lastTransitionTime: now };
  });
  const missing = WATCHED_CONDITIONS.filter((type) => !present.some((condition) => condition.type === type));
  const never = missing.map((type) => ({
    type,
    status: "Unknown",
    reason: "NodeStatusNeverUpdated",
    message: "Kubelet never posted node status.",
    lastHeartbeatTime: node.metadata.creationTimestamp,
    lastTransitionTime: now,
  }));
  return [...changed, ...never];
}
