import { defineKind } from "../../machinery/defineKind.ts";
import type { Deployment } from "../generated/apps-v1.ts";

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
});
