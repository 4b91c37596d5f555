/** Roles and their bindings, read from the caches. Source: kubernetes plugin/pkg/auth/authorizer/rbac. */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from "../../api/generated/rbac-v1.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import type { Reader } from "../reader.ts";
import { type Authorizer, NO_OPINION } from "./authorizer.ts";
import { ruleAllows } from "./policyRules.ts";

const GROUP = "rbac.authorization.k8s.io";
const ref = (resource: string) => ({ group: GROUP, resource });

/** One rule that applies to a user, and by which binding. */
export interface AppliedRule {
  readonly rule: PolicyRule;
  readonly binding: RoleBinding | ClusterRoleBinding;
}

/** The rules that apply to `user` in `namespace` ("" for the cluster's alone). */
export function* rulesFor(user: UserInfo, namespace: string, reader: Reader): Iterable<AppliedRule> {
  for (const binding of reader.list<ClusterRoleBinding>(ref("clusterrolebindings"))) {
    yield* rulesOf(binding, user, "", reader);
  }
  if (namespace === "") return;
  for (const binding of reader.list<RoleBinding>(ref("rolebindings"), namespace)) {
    yield* rulesOf(binding, user, namespace, reader);
  }
}

function* rulesOf(
  binding: RoleBinding | ClusterRoleBinding,
  user: UserInfo,
  namespace: string,
  reader: Reader,
): Iterable<AppliedRule> {
  if (!(binding.subjects ?? []).some((subject) => isSubject(subject, user, namespace))) return;
  for (const rule of roleRules(binding.roleRef, namespace, reader)) yield { rule, binding };
}

function isSubject({ kind, name, namespace: own }: Subject, user: UserInfo, namespace: string): boolean {
  if (kind === "User") return user.name === name;
  if (kind === "Group") return user.groups.includes(name);
  const where = own === undefined || own === "" ? namespace : own;
  return kind === "ServiceAccount" && where !== "" && user.name === `system:serviceaccount:${where}:${name}`;
}

function roleRules({ kind, name }: RoleRef, namespace: string, reader: Reader): readonly PolicyRule[] {
  if (kind === "ClusterRole") return reader.get<ClusterRole>(ref("clusterroles"), "", name)?.rules ?? [];
  return reader.get<Role>(ref("roles"), namespace, name)?.rules ?? [];
}

export function rbacAuthorizer(reader: Reader): Authorizer {
  return (attributes) => {
    for (const { rule, binding } of rulesFor(attributes.user, attributes.namespace, reader)) {
      if (ruleAllows(rule, attributes)) return { isAllowed: true, reason: reasonOf(binding) };
    }
    return NO_OPINION;
  };
}

/** Source: rbac.go, the reason that `kubectl auth can-i -v` and audit show. */
function reasonOf({ kind, metadata, roleRef, subjects }: RoleBinding | ClusterRoleBinding): string {
  const { namespace } = metadata ?? {};
  const place = namespace === undefined ? `"${metadata?.name}"` : `"${metadata?.name}/${namespace}"`;
  const to = (subjects ?? []).map((subject) => `${subject.kind} "${subject.name}"`).join(", ");
  return `RBAC: allowed by ${kind} ${place} of ${roleRef.kind} "${roleRef.name}" to ${to}`;
}
