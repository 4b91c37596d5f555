import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import type { PriorityClass } from "../generated/scheduling-v1.ts";
import { withMissingPointers } from "../missing.ts";
import { validatePriorityClass, validatePriorityClassUpdate } from "./priorityClassValidation.ts";

/** A name for how important a pod is. */
export const priorityClass = defineKind<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  scope: "Cluster",
  withDefaults: (priorityClass) => withMissingPointers(priorityClass, { preemptionPolicy: "PreemptLowerPriority" }),
  columns: [
    nameColumn,
    { name: "Value", type: "integer", value: (priorityClass) => priorityClass.value ?? 0 },
    { name: "Global-Default", type: "boolean", value: (priorityClass) => priorityClass.globalDefault ?? false },
    ageColumn,
    {
      name: "PreemptionPolicy",
      type: "string",
      value: (priorityClass) => priorityClass.preemptionPolicy ?? "",
    },
  ],
  // Nothing ever counts it up. Source: registry/scheduling/priorityclass strategy.go, PrepareForCreate.
  prepareForCreate: (priorityClass) => ({ ...priorityClass, metadata: { ...priorityClass.metadata, generation: 1 } }),
  validate: validatePriorityClass,
  validateUpdate: validatePriorityClassUpdate,
});
