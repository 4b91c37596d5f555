import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { templateColumns } from "../columns.ts";
import { dropDisabledTemplateFields } from "../core/podSpec/disabledFields.ts";
import { podTemplateDefaults } from "../core/podSpec/podSpecDefaults.ts";
import type { ReplicaSet, ReplicaSetSpec } from "../generated/apps-v1.ts";
import { withField, withMissing } from "../missing.ts";
import { keepLabelsOnStatus, withoutStatus } from "../strategy.ts";
import { validateReplicaSet, validateReplicaSetUpdate } from "./replicaSetValidation.ts";
import { workloadWarnings } from "./workload.ts";

const dropDisabled = (spec: ReplicaSetSpec): ReplicaSetSpec => withField(spec, "template", dropDisabledTemplateFields);

/** So many pods of one template. */
export const replicaSet = defineKind<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: {
    status: true,
    scale: {
      specReplicas: "spec.replicas",
      statusReplicas: "status.replicas",
      selector: "spec.selector",
    },
  },
  hasGeneration: true,
  withDefaults: (set) =>
    withField(set, "spec", (spec) => withField(withMissing(spec, { replicas: 1 }), "template", podTemplateDefaults)),
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", value: (set) => set.spec?.replicas ?? 0 },
    { name: "Current", type: "integer", value: (set) => set.status?.replicas ?? 0 },
    { name: "Ready", type: "integer", value: (set) => set.status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns,
  ],
  prepareForCreate: (set) => withField(withoutStatus(set), "spec", dropDisabled),
  prepareForUpdate: (next, previous, context) =>
    withField(keepLabelsOnStatus(next, previous, context), "spec", dropDisabled),
  validate: validateReplicaSet,
  validateUpdate: validateReplicaSetUpdate,
  warnings: workloadWarnings,
});
