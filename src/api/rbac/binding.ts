/** What role bindings and cluster role bindings have in common. */
import { ageColumn, type Column, nameColumn } from "../../machinery/defineKind.ts";
import type { ClusterRoleBinding, RoleBinding, Subject } from "../generated/rbac-v1.ts";
import { withEach, withField, withMissing } from "../missing.ts";

export const RBAC_GROUP = "rbac.authorization.k8s.io";

type Binding = RoleBinding | ClusterRoleBinding;

const subjectDefaults = (subject: Subject): Subject =>
  subject.kind === "User" || subject.kind === "Group" ? withMissing(subject, { apiGroup: RBAC_GROUP }) : subject;

/** Source: apis/rbac/v1/defaults.go. */
export function bindingDefaults<B extends Binding>(binding: B): B {
  const next = withField(binding as Binding, "roleRef", (ref) => withMissing(ref, { apiGroup: RBAC_GROUP }));
  return withEach(next, "subjects", subjectDefaults) as B;
}

const subjectsText = (kind: string, text: (subject: Subject) => string) => (binding: Binding) =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(text)
    .join(", ");

/** Source: printers.go, printRoleBinding. */
export const bindingColumns = (of: string): readonly Column<Binding>[] => [
  nameColumn,
  { name: "Role", type: "string", value: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  ageColumn,
  {
    name: "Users",
    type: "string",
    priority: 1,
    description: `Users in the ${of}`,
    value: subjectsText("User", ({ name }) => name),
  },
  {
    name: "Groups",
    type: "string",
    priority: 1,
    description: `Groups in the ${of}`,
    value: subjectsText("Group", ({ name }) => name),
  },
  {
    name: "ServiceAccounts",
    type: "string",
    priority: 1,
    description: `ServiceAccounts in the ${of}`,
    value: subjectsText("ServiceAccount", ({ namespace = "", name }) => `${namespace}/${name}`),
  },
];
