/** Rules for our own components, which hold whatever roles somebody deletes. Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy. */
import type { PolicyRule } from "../../api/generated/rbac-v1.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import { type Authorizer, NO_OPINION } from "./authorizer.ts";
import { ruleAllows } from "./policyRules.ts";

const READ = ["get", "list", "watch"];

const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** Source: bootstrappolicy policy.go, system:kube-scheduler. */
const scheduler: readonly PolicyRule[] = [
  { verbs: ["create", "patch", "update"], apiGroups: ["", "events.k8s.io"], resources: ["events"] },
  { verbs: ["create"], apiGroups: ["coordination.k8s.io"], resources: ["leases"] },
  {
    verbs: ["get", "list", "update", "watch"],
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    resourceNames: ["kube-scheduler"],
  },
  { verbs: READ, apiGroups: [""], resources: ["nodes", "namespaces", "services", "replicationcontrollers"] },
  { verbs: ["delete", ...READ], apiGroups: [""], resources: ["pods"] },
  { verbs: ["create"], apiGroups: [""], resources: ["bindings", "pods/binding"] },
  { verbs: ["patch", "update"], apiGroups: [""], resources: ["pods/status"] },
  { verbs: READ, apiGroups: ["apps"], resources: ["replicasets", "statefulsets"] },
  { verbs: READ, apiGroups: ["policy"], resources: ["poddisruptionbudgets"] },
  { verbs: [...READ, "patch", "update"], apiGroups: [""], resources: ["persistentvolumeclaims", "persistentvolumes"] },
  { verbs: READ, apiGroups: ["storage.k8s.io"], resources: ["*"] },
  { verbs: READ, apiGroups: ["scheduling.k8s.io"], resources: ["*"] },
  { verbs: [...READ, "patch", "update"], apiGroups: ["resource.k8s.io"], resources: ["*"] },
  { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"] },
  { verbs: ["create"], apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"] },
];

/** Source: bootstrappolicy policy.go, system:node-proxier. */
const proxy: readonly PolicyRule[] = [
  { verbs: ["list", "watch"], apiGroups: [""], resources: ["services", "endpoints"] },
  { verbs: READ, apiGroups: [""], resources: ["nodes"] },
  { verbs: ["list", "watch"], apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
  { verbs: ["list", "watch"], apiGroups: ["networking.k8s.io"], resources: ["servicecidrs"] },
  { verbs: ["create", "patch", "update"], apiGroups: ["", "events.k8s.io"], resources: ["events"] },
];

const RULES_BY_USER: Readonly<Record<string, readonly PolicyRule[]>> = {
  "system:apiserver": everything,
  "system:kube-controller-manager": everything,
  "system:kube-scheduler": scheduler,
  "system:kube-proxy": proxy,
};

/** Controllers that upstream runs with an account each; here they share what the controller manager may do. */
const CONTROLLER_ACCOUNT =
  /^system:serviceaccount:kube-system:([a-z-]+-controller|generic-garbage-collector|root-ca-cert-publisher)$/;

function rulesOf({ name }: UserInfo): readonly PolicyRule[] {
  // Anybody may be called "constructor".
  if (Object.hasOwn(RULES_BY_USER, name)) return RULES_BY_USER[name] ?? [];
  return CONTROLLER_ACCOUNT.test(name) ? everything : [];
}

export const componentAuthorizer: Authorizer = (attributes) =>
  rulesOf(attributes.user).some((rule) => ruleAllows(rule, attributes)) ? { isAllowed: true, reason: "" } : NO_OPINION;
