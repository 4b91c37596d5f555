/** Who may hold what. Source: apis/rbac/validation ValidateRoleBinding, ValidateClusterRoleBinding (v1.36). */
import { type FieldError, FieldPath, invalid, notSupported, required } from "../../machinery/fieldErrors.ts";
import { pathSegmentReasons } from "../../machinery/names.ts";
import { because, each, needed, oneOf, subdomain } from "../checks.ts";
import type { ClusterRoleBinding, RoleBinding, RoleRef, Subject } from "../generated/rbac-v1.ts";
import { RBAC_GROUP } from "./binding.ts";

type Binding = RoleBinding | ClusterRoleBinding;

const roleRefPath = new FieldPath("roleRef");

function roleRefErrors({ apiGroup, kind, name }: RoleRef, kinds: readonly string[]): FieldError[] {
  const path = roleRefPath.at("name");
  return [
    ...oneOf(roleRefPath.at("apiGroup"), apiGroup, [RBAC_GROUP]),
    ...oneOf(roleRefPath.at("kind"), kind, kinds),
    ...(name ? because(path, name, pathSegmentReasons(name)) : [required(path)]),
  ];
}

function serviceAccountErrors({ name, apiGroup, namespace }: Subject, isNamespaced: boolean, path: FieldPath) {
  const errors = name ? subdomain(path.at("name"), name) : [];
  if (apiGroup) errors.push(notSupported(path.at("apiGroup"), apiGroup, [""]));
  if (!isNamespaced) errors.push(...needed(path.at("namespace"), namespace));
  return errors;
}

/** Source: ValidateRoleBindingSubject. */
const subjectErrors =
  (isNamespaced: boolean) =>
  (subject: Subject, path: FieldPath): FieldError[] => {
    const errors = needed(path.at("name"), subject.name);
    switch (subject.kind) {
      case "ServiceAccount":
        return [...errors, ...serviceAccountErrors(subject, isNamespaced, path)];
      case "User":
      case "Group":
        return [...errors, ...oneOf(path.at("apiGroup"), subject.apiGroup, [RBAC_GROUP])];
      default:
        return [...errors, notSupported(path.at("kind"), subject.kind ?? "", ["ServiceAccount", "User", "Group"])];
    }
  };

const NO_ROLE: RoleRef = { apiGroup: "", kind: "", name: "" };

const bindingErrors =
  (isNamespaced: boolean, kinds: readonly string[]) =>
  ({ roleRef, subjects }: Binding): FieldError[] => [
    ...roleRefErrors(roleRef ?? NO_ROLE, kinds),
    ...each(new FieldPath("subjects"), subjects, subjectErrors(isNamespaced)),
  ];

export const validateRoleBinding = bindingErrors(true, ["Role", "ClusterRole"]);
export const validateClusterRoleBinding = bindingErrors(false, ["ClusterRole"]);

/** To point at another role a binding is made anew. */
export function validateBindingUpdate({ roleRef: next }: Binding, { roleRef: previous }: Binding): FieldError[] {
  const same = (["apiGroup", "kind", "name"] as const).every((field) => (next?.[field] ?? "") === previous[field]);
  if (same) return [];
  const { apiGroup: APIGroup = "", kind: Kind = "", name: Name = "" } = next ?? NO_ROLE;
  return [invalid(roleRefPath, { APIGroup, Kind, Name }, "cannot change roleRef")];
}
