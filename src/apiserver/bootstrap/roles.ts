/** Roles that every cluster has. Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy. */
import type { PolicyRule, Subject } from "../../api/generated/rbac-v1.ts";

const API_VERSION = "rbac.authorization.k8s.io/v1";
const READ = ["get", "list", "watch"];
const WRITE = ["create", "delete", "deletecollection", "patch", "update"];

const metadata = (name: string) => ({
  name,
  annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults" },
});

const role = (name: string, rules: readonly PolicyRule[]) => ({
  apiVersion: API_VERSION,
  kind: "ClusterRole",
  metadata: metadata(name),
  rules,
});

const DISCOVERY_PATHS = [
  "/api",
  "/api/*",
  "/apis",
  "/apis/*",
  "/healthz",
  "/livez",
  "/openapi",
  "/openapi/*",
  "/readyz",
  "/version",
  "/version/",
];
const HEALTH_PATHS = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

/** What people work with in a namespace, but Secrets. */
const readable: readonly PolicyRule[] = [
  {
    apiGroups: [""],
    resources: [
      "bindings",
      "configmaps",
      "endpoints",
      "events",
      "limitranges",
      "namespaces",
      "namespaces/status",
      "persistentvolumeclaims",
      "persistentvolumeclaims/status",
      "pods",
      "pods/log",
      "pods/status",
      "replicationcontrollers",
      "replicationcontrollers/scale",
      "replicationcontrollers/status",
      "resourcequotas",
      "resourcequotas/status",
      "serviceaccounts",
      "services",
      "services/status",
    ],
    verbs: READ,
  },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
  { apiGroups: ["apps", "autoscaling", "batch", "networking.k8s.io", "policy"], resources: ["*"], verbs: READ },
];

const writable: readonly PolicyRule[] = [
  { apiGroups: [""], resources: ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], verbs: READ },
  { apiGroups: [""], resources: ["secrets", "services/proxy"], verbs: READ },
  { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["impersonate"] },
  {
    apiGroups: [""],
    resources: [
      "configmaps",
      "events",
      "persistentvolumeclaims",
      "pods",
      "pods/attach",
      "pods/exec",
      "pods/portforward",
      "pods/proxy",
      "replicationcontrollers",
      "replicationcontrollers/scale",
      "secrets",
      "serviceaccounts",
      "services",
      "services/proxy",
    ],
    verbs: WRITE,
  },
  { apiGroups: [""], resources: ["pods/eviction", "serviceaccounts/token"], verbs: ["create"] },
  { apiGroups: ["apps", "autoscaling", "batch", "networking.k8s.io", "policy"], resources: ["*"], verbs: WRITE },
];

const administrable: readonly PolicyRule[] = [
  { apiGroups: ["authorization.k8s.io"], resources: ["localsubjectaccessreviews"], verbs: ["create"] },
  {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["rolebindings", "roles"],
    verbs: [...READ, ...WRITE],
  },
];

export const clusterRoles = [
  role("cluster-admin", [
    { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
    { nonResourceURLs: ["*"], verbs: ["*"] },
  ]),
  role("system:discovery", [{ nonResourceURLs: DISCOVERY_PATHS, verbs: ["get"] }]),
  role("system:public-info-viewer", [{ nonResourceURLs: HEALTH_PATHS, verbs: ["get"] }]),
  role("system:basic-user", [
    {
      apiGroups: ["authorization.k8s.io"],
      resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
      verbs: ["create"],
    },
    { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
  ]),
  role("system:service-account-issuer-discovery", [
    { nonResourceURLs: ["/.well-known/openid-configuration", "/openid/v1/jwks"], verbs: ["get"] },
  ]),
  role("view", readable),
  role("edit", [...writable, ...readable]),
  role("admin", [...administrable, ...writable, ...readable]),
];

const group = (name: string): Subject => ({ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name });

const binding = (name: string, subjects: readonly Subject[]) => ({
  apiVersion: API_VERSION,
  kind: "ClusterRoleBinding",
  metadata: metadata(name),
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  subjects,
});

export const clusterRoleBindings = [
  binding("cluster-admin", [group("system:masters")]),
  binding("system:discovery", [group("system:authenticated")]),
  binding("system:basic-user", [group("system:authenticated")]),
  binding("system:public-info-viewer", [group("system:authenticated"), group("system:unauthenticated")]),
  binding("system:service-account-issuer-discovery", [group("system:serviceaccounts")]),
];
