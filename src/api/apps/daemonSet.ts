import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { labelsText, templateColumns } from "../columns.ts";
import { podTemplateDefaults } from "../core/podSpec/podSpecDefaults.ts";
import type { DaemonSet, DaemonSetUpdateStrategy } from "../generated/apps-v1.ts";
import { withField, withMissing } from "../missing.ts";

/** Source: apis/apps/v1/defaults.go, SetDefaults_DaemonSet. */
function strategyDefaults(given: DaemonSetUpdateStrategy): DaemonSetUpdateStrategy {
  const strategy = withMissing(given, { type: "RollingUpdate" });
  if (strategy.type !== "RollingUpdate") return strategy;
  return withField(withMissing(strategy, { rollingUpdate: {} }), "rollingUpdate", (update) =>
    withMissing(update, { maxUnavailable: 1, maxSurge: 0 }),
  );
}

const daemonSetDefaults = (set: DaemonSet): DaemonSet =>
  withField(set, "spec", (spec) => {
    const next = withMissing(spec, { updateStrategy: {}, revisionHistoryLimit: 10 });
    return withField(withField(next, "updateStrategy", strategyDefaults), "template", podTemplateDefaults);
  });

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
});
