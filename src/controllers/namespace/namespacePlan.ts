/** How a deleted namespace is emptied, and what it says meanwhile. Source: pkg/controller/namespace/deletion. */
import type { Namespace, NamespaceCondition } from "../../api/generated/core-v1.ts";
import { qualifiedResource } from "../../machinery/errors.ts";
import { timestamp } from "../../machinery/object.ts";

/** Keeps a namespace until it is empty. Source: api/core/v1, FinalizerKubernetes. */
export const KUBERNETES_FINALIZER = "kubernetes";
/** What waits for a finalizer is looked at again after half of this. Source: finalizerEstimateSeconds. */
const FINALIZER_ESTIMATE_SECONDS = 15;

/** What is left of one kind after everything has been told to go. */
export interface Remains {
  readonly group: string;
  readonly resource: string;
  readonly count: number;
  /** How many objects wait for each finalizer. */
  readonly finalizers: Readonly<Record<string, number>>;
  /** Longest grace period of the pods among them. */
  readonly graceSeconds: number;
}

export interface ObservedNamespace {
  readonly namespace: Namespace;
  readonly remains: readonly Remains[];
  /** Messages of what could not be deleted. */
  readonly failures: readonly string[];
  readonly nowMs: number;
}

export type NamespaceAction =
  | { readonly do: "update-status"; readonly status: Namespace["status"] }
  | { readonly do: "finalize" }
  | { readonly do: "look-again"; readonly afterMs: number };

/** Decides; never acts. Same input, same actions. */
export function plan(observed: ObservedNamespace): readonly NamespaceAction[] {
  const { namespace, remains, failures } = observed;
  const conditions = mergedConditions(observed);
  const hasChanged = conditions.some((condition, index) => condition !== namespace.status?.conditions?.[index]);
  const status = { ...namespace.status, phase: "Terminating", conditions };
  const actions: NamespaceAction[] = hasChanged ? [{ do: "update-status", status }] : [];
  if (remains.length > 0) actions.push({ do: "look-again", afterMs: patienceMs(remains) });
  else if (failures.length === 0) actions.push({ do: "finalize" });
  return actions;
}

/** Source: namespace_controller.go, worker. */
function patienceMs(remains: readonly Remains[]): number {
  const estimates = remains.map(({ graceSeconds, finalizers }) =>
    Math.max(graceSeconds, Object.keys(finalizers).length > 0 ? FINALIZER_ESTIMATE_SECONDS : 0),
  );
  return (Math.floor(Math.max(...estimates) / 2) + 1) * 1000;
}

type Finding = Pick<NamespaceCondition, "type" | "status" | "reason" | "message">;

/** Those of ours that are there are changed in place, the others are appended; the time moves with the status. */
function mergedConditions({ namespace, remains, failures, nowMs }: ObservedNamespace): readonly NamespaceCondition[] {
  const present = namespace.status?.conditions ?? [];
  const merged = [...present];
  for (const finding of findings(remains, failures)) {
    const index = present.findIndex(({ type }) => type === finding.type);
    const before = present[index];
    const isSame =
      before?.status === finding.status && before.message === finding.message && before.reason === finding.reason;
    if (isSame) continue;
    const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : timestamp(nowMs);
    const next = { ...finding, lastTransitionTime };
    if (index < 0) merged.push(next);
    else merged[index] = next;
  }
  return merged;
}

/** Source: deletion/status_condition_utils.go. */
function findings(remains: readonly Remains[], failures: readonly string[]): readonly Finding[] {
  const left = remains.map((remain) => `${dotted(remain)} has ${remain.count} resource instances`).sort();
  const finalizers = new Map<string, number>();
  for (const remain of remains) {
    for (const [name, count] of Object.entries(remain.finalizers))
      finalizers.set(name, (finalizers.get(name) ?? 0) + count);
  }
  const waiting = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  const good = (type: string, reason: string, message: string): Finding => ({ type, status: "False", reason, message });
  const bad = (type: string, reason: string, message: string): Finding => ({ type, status: "True", reason, message });
  const failed = [...failures].sort().join(", ");
  return [
    good("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    good(
      "NamespaceDeletionGroupVersionParsingFailure",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    failures.length > 0
      ? bad(
          "NamespaceDeletionContentFailure",
          "ContentDeletionFailed",
          `Failed to delete all resource types, ${failures.length} remaining: ${failed}`,
        )
      : good(
          "NamespaceDeletionContentFailure",
          "ContentDeleted",
          "All content successfully deleted, may be waiting on finalization",
        ),
    left.length > 0
      ? bad("NamespaceContentRemaining", "SomeResourcesRemain", `Some resources are remaining: ${left.join(", ")}`)
      : good("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    waiting.length > 0
      ? bad(
          "NamespaceFinalizersRemaining",
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${waiting.join(", ")}`,
        )
      : good("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
  ];
}

/** Upstream writes the dot for the core group, too: "pods.". */
const dotted = ({ resource, group }: Remains) =>
  group === "" ? `${resource}.` : qualifiedResource({ resource, group });
