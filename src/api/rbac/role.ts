import { defineKind } from "../../machinery/defineKind.ts";
import { pathSegmentReasons } from "../../machinery/names.ts";
import { createdAtColumns } from "../columns.ts";
import type { Role } from "../generated/rbac-v1.ts";
import { validateRole } from "./policyRules.ts";

/** What may be done in a namespace. */
export const role = defineKind<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  scope: "Namespaced",
  validateName: pathSegmentReasons,
  createOnUpdate: true,
  columns: createdAtColumns,
  validate: validateRole,
});
