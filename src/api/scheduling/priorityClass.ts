import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import type { PriorityClass } from "../generated/scheduling-v1.ts";
import { withMissing } from "../missing.ts";
import { validatePriorityClass, validatePriorityClassUpdate } from "./priorityClassValidation.ts";

/** A name for how important a pod is. */
export const priorityClass = defineKind<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  scope: "Cluster",
  withDefaults: (priorityClass) => withMissing(priorityClass, { preemptionPolicy: "PreemptLowerPriority" }),
  columns: [
    nameColumn,
    { name: "Value", type: "integer", value: (priorityClass) => priorityClass.value ?? 0 },
    { name: "Global-Default", type: "boolean", value: (priorityClass) => priorityClass.globalDefault ?? false },
    ageColumn,
    {
      name: "PreemptionPolicy",
      type: "string",
      priority: 1,
      value: (priorityClass) => priorityClass.preemptionPolicy ?? "",
    },
  ],
  validate: validatePriorityClass,
  validateUpdate: validatePriorityClassUpdate,
});
