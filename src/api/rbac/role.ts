import { defineKind } from "../../machinery/defineKind.ts";
import { createdAtColumns } from "../columns.ts";
import type { Role } from "../generated/rbac-v1.ts";

/** What may be done in a namespace. */
export const role = defineKind<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  scope: "Namespaced",
  createOnUpdate: true,
  columns: createdAtColumns,
});
