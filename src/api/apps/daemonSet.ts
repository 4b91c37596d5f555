import { semanticEqual } from "../../machinery/deepEqual.ts";
import type { WriteContext } from "../../machinery/defineKind.ts";
import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { labelsText, templateColumns } from "../columns.ts";
import { dropDisabledTemplateFields } from "../core/podSpec/disabledFields.ts";
import { podTemplateDefaults } from "../core/podSpec/podSpecDefaults.ts";
import { podTemplateWarnings } from "../core/podWarnings.ts";
import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from "../generated/apps-v1.ts";
import { withField, withMissing, withMissingPointers } from "../missing.ts";
import { withoutStatus } from "../strategy.ts";
import { validateDaemonSet, validateDaemonSetUpdate } from "./daemonSetValidation.ts";

/** Source: apis/apps/v1/defaults.go, SetDefaults_DaemonSet. */
function strategyDefaults(given: DaemonSetUpdateStrategy): DaemonSetUpdateStrategy {
  const strategy = withMissing(given, { type: "RollingUpdate" });
  if (strategy.type !== "RollingUpdate") return strategy;
  return withField(withMissing(strategy, { rollingUpdate: {} }), "rollingUpdate", (update) =>
    withMissingPointers(update, { maxUnavailable: 1, maxSurge: 0 }),
  );
}

const daemonSetDefaults = (set: DaemonSet): DaemonSet =>
  withField(withKnownGeneration(set), "spec", (spec) => {
    const next = withMissing(spec, { updateStrategy: {}, revisionHistoryLimit: 10 });
    return withField(withField(next, "updateStrategy", strategyDefaults), "template", podTemplateDefaults);
  });

/** How often the template has changed; a field of older versions. Source: apps/v1 DeprecatedTemplateGeneration. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

function withTemplateGeneration(set: DaemonSet, generation: number): DaemonSet {
  const annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: `${generation}` };
  return { ...set, metadata: { ...set.metadata, annotations } };
}

/** What is read without one is of generation 0. Source: apis/apps/v1/conversion.go, Convert_apps_DaemonSet_To_v1_DaemonSet. */
const withKnownGeneration = (set: DaemonSet): DaemonSet =>
  set.metadata.annotations?.[TEMPLATE_GENERATION] === undefined ? withTemplateGeneration(set, 0) : set;

const dropDisabled = (spec: DaemonSetSpec): DaemonSetSpec => withField(spec, "template", dropDisabledTemplateFields);

/** Source: registry/apps/daemonset strategy.go, PrepareForUpdate. */
function prepareDaemonSetForUpdate(next: DaemonSet, previous: DaemonSet, context: WriteContext): DaemonSet {
  const generation = Number(previous.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
  if (context.subresource === "status") return withTemplateGeneration(next, generation);
  const kept = withField(next, "spec", dropDisabled);
  const same = semanticEqual(kept.spec?.template, previous.spec?.template);
  return withTemplateGeneration(kept, same ? generation : generation + 1);
}

/** One pod on every node that fits. */
export const daemonSet = defineKind<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: { status: true },
  hasGeneration: true,
  withDefaults: daemonSetDefaults,
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", value: (set) => set.status?.desiredNumberScheduled ?? 0 },
    { name: "Current", type: "integer", value: (set) => set.status?.currentNumberScheduled ?? 0 },
    { name: "Ready", type: "integer", value: (set) => set.status?.numberReady ?? 0 },
    { name: "Up-to-date", type: "integer", value: (set) => set.status?.updatedNumberScheduled ?? 0 },
    { name: "Available", type: "integer", value: (set) => set.status?.numberAvailable ?? 0 },
    { name: "Node Selector", type: "string", value: (set) => labelsText(set.spec?.template.spec?.nodeSelector) },
    ageColumn,
    ...templateColumns,
  ],
  prepareForCreate: (set) => withTemplateGeneration(withField(withoutStatus(set), "spec", dropDisabled), 1),
  prepareForUpdate: prepareDaemonSetForUpdate,
  validate: validateDaemonSet,
  validateUpdate: validateDaemonSetUpdate,
  warnings: ({ spec }, previous) =>
    semanticEqual(spec?.template, previous?.spec?.template) ? [] : podTemplateWarnings(spec?.template),
});
