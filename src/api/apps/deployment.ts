import { deepEqual } from "../../machinery/deepEqual.ts";
import type { WriteContext } from "../../machinery/defineKind.ts";
import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { templateColumns } from "../columns.ts";
import { dropDisabledTemplateFields } from "../core/podSpec/disabledFields.ts";
import { podTemplateDefaults } from "../core/podSpec/podSpecDefaults.ts";
import type { Deployment, DeploymentSpec, DeploymentStrategy } from "../generated/apps-v1.ts";
import { withField, withMissing, withMissingPointers } from "../missing.ts";
import { keepLabelsOnStatus, withoutStatus } from "../strategy.ts";
import { validateDeployment, validateDeploymentUpdate } from "./deploymentValidation.ts";
import { workloadWarnings } from "./workload.ts";

/** Source: apis/apps/v1/defaults.go, SetDefaults_Deployment. */
function strategyDefaults(given: DeploymentStrategy): DeploymentStrategy {
  const strategy = withMissing(given, { type: "RollingUpdate" });
  if (strategy.type !== "RollingUpdate") return strategy;
  return withField(withMissing(strategy, { rollingUpdate: {} }), "rollingUpdate", (update) =>
    withMissingPointers(update, { maxUnavailable: "25%", maxSurge: "25%" }),
  );
}

const deploymentDefaults = (deployment: Deployment): Deployment =>
  withField(deployment, "spec", (spec) => {
    const next = withMissing(spec, {
      replicas: 1,
      strategy: {},
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    return withField(withField(next, "strategy", strategyDefaults), "template", podTemplateDefaults);
  });

const dropDisabled = (spec: DeploymentSpec): DeploymentSpec => withField(spec, "template", dropDisabledTemplateFields);

/**
 * Annotations count as spec, since they are copied to the replica sets; the registry counts changes of the spec.
 * Source: registry/apps/deployment strategy.go, PrepareForUpdate.
 */
function prepareDeploymentForUpdate(next: Deployment, previous: Deployment, context: WriteContext): Deployment {
  if (context.subresource === "status") return keepLabelsOnStatus(next, previous, context);
  const kept = withField(next, "spec", dropDisabled);
  if (deepEqual(next.metadata.annotations ?? {}, previous.metadata.annotations ?? {})) return kept;
  return { ...kept, metadata: { ...kept.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}

/** Pods that are replaced in turn when their template changes. */
export const deployment = defineKind<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
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
  withDefaults: deploymentDefaults,
  columns: [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      description: "Number of the pod with ready state",
      value: ({ status, spec }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    { name: "Up-to-date", type: "string", value: (deployment) => deployment.status?.updatedReplicas ?? 0 },
    { name: "Available", type: "string", value: (deployment) => deployment.status?.availableReplicas ?? 0 },
    ageColumn,
    ...templateColumns,
  ],
  prepareForCreate: (deployment) => withField(withoutStatus(deployment), "spec", dropDisabled),
  prepareForUpdate: prepareDeploymentForUpdate,
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  warnings: workloadWarnings,
});
