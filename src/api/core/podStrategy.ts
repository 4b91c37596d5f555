/** What of a pod its writer may not decide. Source: registry/core/pod strategy.go (v1.36). */
import type { WriteContext } from "../../machinery/defineKind.ts";
import { type LabelSelector, timestamp } from "../../machinery/object.ts";
import type { Pod, PodAffinity, PodAffinityTerm, PodSpec, PodStatus } from "../generated/core-v1.ts";
import { mapSame, withEach, withField } from "../missing.ts";
import { computeQosClass } from "./podQos.ts";
import { dropDisabledFields } from "./podSpec/disabledFields.ts";

type Labels = Readonly<Record<string, string>>;
type Operator = "In" | "NotIn";

/** The pod's own value of each key becomes part of the selector. Source: applyLabelKeysToLabelSelector. */
function withKeys(selector: LabelSelector, keys: readonly string[] | undefined, operator: Operator, labels: Labels) {
  const added = (keys ?? []).flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
  if (added.length === 0) return selector;
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...added] };
}

const withTermKeys =
  (labels: Labels) =>
  (term: PodAffinityTerm): PodAffinityTerm =>
    withField(term, "labelSelector", (selector) =>
      withKeys(withKeys(selector, term.matchLabelKeys, "In", labels), term.mismatchLabelKeys, "NotIn", labels),
    );

function withAffinityKeys(affinity: PodAffinity, labels: Labels): PodAffinity {
  const merge = withTermKeys(labels);
  return withEach(
    withEach(affinity, "requiredDuringSchedulingIgnoredDuringExecution", merge),
    "preferredDuringSchedulingIgnoredDuringExecution",
    (weighted) => withField(weighted, "podAffinityTerm", merge),
  );
}

function withMatchLabelKeys(spec: PodSpec, labels: Labels): PodSpec {
  const next = withField(spec, "affinity", (affinity) =>
    withField(
      withField(affinity, "podAffinity", (one) => withAffinityKeys(one, labels)),
      "podAntiAffinity",
      (one) => withAffinityKeys(one, labels),
    ),
  );
  return withEach(next, "topologySpreadConstraints", (constraint) =>
    withField(constraint, "labelSelector", (selector) => withKeys(selector, constraint.matchLabelKeys, "In", labels)),
  );
}

const GATED = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
} as const;

export function preparePodForCreate(pod: Pod, { nowMs }: WriteContext): Pod {
  const spec = pod.spec === undefined ? undefined : dropDisabledFields(pod.spec);
  if (spec === undefined) return { ...pod, status: { phase: "Pending" } };
  const status: PodStatus = {
    phase: "Pending",
    qosClass: computeQosClass(spec),
    ...(spec.schedulingGates?.length && { conditions: [{ ...GATED, lastTransitionTime: timestamp(nowMs) }] }),
  };
  return { ...pod, spec: withMatchLabelKeys(spec, pod.metadata.labels ?? {}), status };
}

/** A client that does not know of generations does not erase them. Source: preserveOldObservedGeneration. */
function keepGenerations(next: PodStatus, previous: PodStatus): PodStatus {
  const left = [...(previous.conditions ?? [])];
  const conditions = mapSame(next.conditions ?? [], (condition) => {
    const index = left.findIndex(({ type }) => type === condition.type);
    const [old] = index < 0 ? [] : left.splice(index, 1);
    if (condition.observedGeneration || !old?.observedGeneration) return condition;
    return { ...condition, observedGeneration: old.observedGeneration };
  });
  const generation = next.observedGeneration || previous.observedGeneration;
  return {
    ...next,
    ...(next.conditions !== undefined && { conditions }),
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(!next.qosClass && previous.qosClass && { qosClass: previous.qosClass }),
  };
}

export function preparePodForUpdate(next: Pod, previous: Pod, { subresource }: WriteContext): Pod {
  if (subresource === "status") {
    return { ...next, status: keepGenerations(next.status ?? {}, previous.status ?? {}) };
  }
  return withField(next, "spec", dropDisabledFields);
}
