import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { templateColumns } from "../columns.ts";
import { podTemplateDefaults } from "../core/podSpec/podSpecDefaults.ts";
import type { Deployment, DeploymentStrategy } from "../generated/apps-v1.ts";
import { withField, withMissing } from "../missing.ts";

/** Source: apis/apps/v1/defaults.go, SetDefaults_Deployment. */
function strategyDefaults(given: DeploymentStrategy): DeploymentStrategy {
  const strategy = withMissing(given, { type: "RollingUpdate" });
  if (strategy.type !== "RollingUpdate") return strategy;
  return withField(withMissing(strategy, { rollingUpdate: {} }), "rollingUpdate", (update) =>
    withMissing(update, { maxUnavailable: "25%", maxSurge: "25%" }),
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
});
