/** Source: apis/scheduling/validation ValidatePriorityClass (v1.36). */
import { type FieldError, FieldPath, forbiddenField } from "../../machinery/fieldErrors.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { neededOneOf } from "../checks.ts";
import type { PriorityClass } from "../generated/scheduling-v1.ts";

/** Source: apis/scheduling HighestUserDefinablePriority, SystemCriticalPriority. */
export const USER_PRIORITY_MAX = 1_000_000_000;
const SYSTEM_CRITICAL = 2 * USER_PRIORITY_MAX;
const SYSTEM_PREFIX = "system-";

/** The classes that every cluster has. Source: apis/scheduling/v1/helpers.go, systemPriorityClasses. */
export const SYSTEM_PRIORITY_CLASSES: Readonly<Record<string, { value: number; description: string }>> = {
  "system-node-critical": {
    value: SYSTEM_CRITICAL + 1000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  "system-cluster-critical": {
    value: SYSTEM_CRITICAL,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
};

/** Why a class with a system's name is not that class. Source: IsKnownSystemPriorityClass. */
function systemReason({ metadata: { name }, value = 0, globalDefault = false }: PriorityClass): string | undefined {
  const known = SYSTEM_PRIORITY_CLASSES[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known.value !== value) return `value of ${name} PriorityClass must be ${known.value}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function valueErrors(priorityClass: PriorityClass): FieldError[] {
  const name = priorityClass.metadata.name ?? "";
  if (name.startsWith(SYSTEM_PREFIX)) {
    const reason = systemReason(priorityClass);
    const reserved = "priority class names with 'system-' prefix are reserved for system use only. error: ";
    return reason === undefined ? [] : [forbiddenField(new FieldPath("metadata").at("name"), `${reserved}${reason}`)];
  }
  if ((priorityClass.value ?? 0) <= USER_PRIORITY_MAX) return [];
  const reason = `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`;
  return [forbiddenField(new FieldPath("value"), reason)];
}

const policyPath = new FieldPath("preemptionPolicy");

export const validatePriorityClass = (priorityClass: PriorityClass): FieldError[] => [
  ...valueErrors(priorityClass),
  ...(priorityClass.preemptionPolicy === undefined
    ? []
    : neededOneOf(policyPath, priorityClass.preemptionPolicy, ["PreemptLowerPriority", "Never"])),
];

export const validatePriorityClassUpdate = (next: PriorityClass, previous: PriorityClass): FieldError[] => [
  ...((next.value ?? 0) === (previous.value ?? 0)
    ? []
    : [forbiddenField(new FieldPath("value"), "may not be changed in an update.")]),
  ...validateImmutable(next.preemptionPolicy, previous.preemptionPolicy, policyPath),
];
