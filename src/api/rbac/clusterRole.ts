import { defineKind } from "../../machinery/defineKind.ts";
import { pathSegmentReasons } from "../../machinery/names.ts";
import { createdAtColumns } from "../columns.ts";
import type { ClusterRole } from "../generated/rbac-v1.ts";
import { validateClusterRole } from "./policyRules.ts";

/** What may be done in the whole cluster. */
export const clusterRole = defineKind<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  scope: "Cluster",
  validateName: pathSegmentReasons,
  createOnUpdate: true,
  columns: createdAtColumns,
  validate: validateClusterRole,
});
