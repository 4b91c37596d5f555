import { defineKind } from "../../machinery/defineKind.ts";
import type { ReplicaSet } from "../generated/apps-v1.ts";

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
  fieldSelectors: { "status.replicas": (set) => String(set.status?.replicas ?? 0) },
});
