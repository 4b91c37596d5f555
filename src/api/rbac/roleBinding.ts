import { defineKind } from "../../machinery/defineKind.ts";
import { pathSegmentReasons } from "../../machinery/names.ts";
import type { RoleBinding } from "../generated/rbac-v1.ts";
import { bindingColumns, bindingDefaults } from "./binding.ts";
import { validateBindingUpdate, validateRoleBinding } from "./bindingValidation.ts";

/** Who holds a role in a namespace. */
export const roleBinding = defineKind<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  scope: "Namespaced",
  validateName: pathSegmentReasons,
  createOnUpdate: true,
  withDefaults: bindingDefaults,
  columns: bindingColumns("roleBinding"),
  validate: validateRoleBinding,
  validateUpdate: validateBindingUpdate,
});
