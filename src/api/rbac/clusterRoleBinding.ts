import { defineKind } from "../../machinery/defineKind.ts";
import { pathSegmentReasons } from "../../machinery/names.ts";
import type { ClusterRoleBinding } from "../generated/rbac-v1.ts";
import { bindingColumns, bindingDefaults } from "./binding.ts";
import { validateBindingUpdate, validateClusterRoleBinding } from "./bindingValidation.ts";

/** Who holds a role in the whole cluster. */
export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  scope: "Cluster",
  validateName: pathSegmentReasons,
  createOnUpdate: true,
  withDefaults: bindingDefaults,
  columns: bindingColumns("clusterRoleBinding"),
  validate: validateClusterRoleBinding,
  validateUpdate: validateBindingUpdate,
});
