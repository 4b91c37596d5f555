import { describe, expect, test } from "vitest";
import { cellsOf } from "../cellsOf.ts";
import type { RoleBinding } from "../generated/rbac-v1.ts";
import { type InvalidCase, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { CLUSTER_CASES, LABEL_VALUE_REASON, NAMESPACED_CASES, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { clusterRole } from "./clusterRole.ts";
import { clusterRoleBinding } from "./clusterRoleBinding.ts";
import { role } from "./role.ts";
import { roleBinding } from "./roleBinding.ts";

const GROUP = "rbac.authorization.k8s.io";
const RULE = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
const named = (kind: string, name = "reader") => ({ apiVersion: `${GROUP}/v1`, kind, metadata: { name } });
const inDefault = (kind: string) => ({
  ...named(kind),
  metadata: { name: "reader", namespace: "default" },
});

/** Names only have to fit into a path. */
const NAME_CASES: readonly InvalidCase[] = [
  ["a name with a slash", { "metadata.name": "a/b" }, "metadata.name: Invalid value: \"a/b\": may not contain '/'"],
  ["a name with %", { "metadata.name": "a%b" }, "metadata.name: Invalid value: \"a%b\": may not contain '%'"],
  ["a name of two dots", { "metadata.name": ".." }, "metadata.name: Invalid value: \"..\": may not be '..'"],
  [
    "a prefix with a slash",
    { "metadata.generateName": "a/" },
    "metadata.generateName: Invalid value: \"a/\": may not contain '/'",
  ],
];

const RULE_CASES: readonly InvalidCase[] = [
  [
    "a rule without verbs",
    { "rules[0].verbs": [] },
    "rules[0].verbs: Required value: verbs must contain at least one value",
  ],
  [
    "a rule without groups",
    { "rules[0].apiGroups": [] },
    "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
  ],
  [
    "a rule without resources",
    { "rules[0].resources": undefined },
    "rules[0].resources: Required value: resource rules must supply at least one resource",
  ],
  [
    "a second rule with nothing",
    { "rules[1]": { verbs: [] } },
    "rules[1].verbs: Required value: verbs must contain at least one value",
    "rules[1].apiGroups: Required value: resource rules must supply at least one api group",
    "rules[1].resources: Required value: resource rules must supply at least one resource",
  ],
];

describe("roles", () => {
  testInvalidObjects(role, { ...inDefault("Role"), rules: [RULE] }, [
    ...NAMESPACED_CASES,
    ...NAME_CASES,
    ...RULE_CASES,
    [
      "URLs in a namespace",
      { rules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }] },
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs',
    ],
    [
      "URLs beside resources in a namespace",
      { rules: [{ ...RULE, nonResourceURLs: ["/a"] }] },
      'rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs',
      'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  ]);
  testUpdates(role, { ...inDefault("Role"), rules: [RULE] }, [
    ["the rules may change", { "rules[0].verbs": ["*"] }],
    ["the rules may go", { rules: [] }],
    [
      "verbs are still needed",
      { "rules[0].verbs": [] },
      "rules[0].verbs: Required value: verbs must contain at least one value",
    ],
    ["the name may not change", { "metadata.name": "b" }, 'metadata.name: Invalid value: "b": field is immutable'],
  ]);
});

describe("cluster roles", () => {
  const base = { ...named("ClusterRole", "system:reader"), rules: [RULE, { verbs: ["get"], nonResourceURLs: ["*"] }] };
  testInvalidObjects(clusterRole, base, [
    ...CLUSTER_CASES,
    ...NAME_CASES,
    ...RULE_CASES,
    [
      "URLs beside resources",
      { rules: [{ verbs: ["get"], resourceNames: ["a"], nonResourceURLs: ["/a", "/b"] }] },
      'rules[0].nonResourceURLs: Invalid value: ["/a","/b"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
    [
      "an aggregation of nothing",
      { aggregationRule: {} },
      "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
    ],
    [
      "an aggregation by a label value with a blank",
      { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b c" } }] } },
      `aggregationRule.clusterRoleSelectors[0].matchLabels: Invalid value: "b c": ${LABEL_VALUE_REASON}`,
      "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.",
    ],
    [
      "an aggregation by an unknown operator",
      { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: "a", operator: "Is" }] }] } },
      'aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
      "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.",
    ],
  ]);
  testUpdates(clusterRole, base, [
    ["an aggregation may be added", { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] } }],
    [
      "groups are still needed",
      { "rules[0].apiGroups": [] },
      "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
    ],
  ]);
});

const subject = (change: object) => ({ kind: "User", name: "jane", apiGroup: GROUP, ...change });
const BINDING_CASES: readonly InvalidCase[] = [
  ...NAME_CASES,
  [
    "a role of another group",
    { "roleRef.apiGroup": "apps" },
    `roleRef.apiGroup: Unsupported value: "apps": supported values: "${GROUP}"`,
  ],
  ["a role without a name", { "roleRef.name": "" }, "roleRef.name: Required value"],
  ["a role name with a slash", { "roleRef.name": "a/b" }, "roleRef.name: Invalid value: \"a/b\": may not contain '/'"],
  ["a user without a name", { subjects: [subject({ name: "" })] }, "subjects[0].name: Required value"],
  [
    "a user of another group",
    { subjects: [subject({ apiGroup: "apps" })] },
    `subjects[0].apiGroup: Unsupported value: "apps": supported values: "${GROUP}"`,
  ],
  [
    "a group of another group",
    { subjects: [subject({ kind: "Group", apiGroup: "v1" })] },
    `subjects[0].apiGroup: Unsupported value: "v1": supported values: "${GROUP}"`,
  ],
  [
    "an unknown kind of subject",
    { subjects: [subject({ kind: "Node" })] },
    'subjects[0].kind: Unsupported value: "Node": supported values: "ServiceAccount", "User", "Group"',
  ],
  [
    "a service account in capitals",
    { subjects: [{ kind: "ServiceAccount", name: "Jane", namespace: "default" }] },
    `subjects[0].name: Invalid value: "Jane": ${SUBDOMAIN_REASON}`,
  ],
  [
    "a service account of a group",
    { subjects: [subject({ kind: "ServiceAccount", namespace: "default" })] },
    `subjects[0].apiGroup: Unsupported value: "${GROUP}": supported values: ""`,
  ],
];

const roleRef = { apiGroup: GROUP, kind: "ClusterRole", name: "view" };
const IMMUTABLE: readonly InvalidCase[] = [
  ["the subjects may change", { subjects: [{ kind: "Group", name: "ops" }] }],
  [
    "the role may not change",
    { "roleRef.name": "edit" },
    `roleRef: Invalid value: {"APIGroup":"${GROUP}","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef`,
  ],
];

describe("role bindings", () => {
  const base = { ...inDefault("RoleBinding"), roleRef, subjects: [subject({})] };
  testInvalidObjects(roleBinding, base, [
    ...NAMESPACED_CASES,
    ...BINDING_CASES,
    [
      "a role of another kind",
      { "roleRef.kind": "User" },
      'roleRef.kind: Unsupported value: "User": supported values: "Role", "ClusterRole"',
    ],
    [
      "no role",
      { roleRef: undefined },
      `roleRef.apiGroup: Unsupported value: "": supported values: "${GROUP}"`,
      'roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"',
      "roleRef.name: Required value",
    ],
  ]);
  testUpdates(roleBinding, base, [
    ...IMMUTABLE,
    ["a service account needs no namespace", { subjects: [{ kind: "ServiceAccount", name: "jane" }] }],
  ]);

  test("roles, users and groups are of the RBAC group by default", () => {
    const bare = {
      ...inDefault("RoleBinding"),
      roleRef: { kind: "Role", name: "a" },
      subjects: [
        { kind: "User", name: "a" },
        { kind: "Group", name: "b" },
        { kind: "ServiceAccount", name: "c" },
      ],
    } as unknown as RoleBinding;
    const filled = roleBinding.withDefaults(bare);
    expect(filled.roleRef.apiGroup).toBe(GROUP);
    expect(filled.subjects?.map(({ apiGroup }) => apiGroup)).toEqual([GROUP, GROUP, undefined]);
    expect(roleBinding.withDefaults(filled)).toBe(filled);
  });
});

describe("cluster role bindings", () => {
  const base = { ...named("ClusterRoleBinding"), roleRef, subjects: [subject({})] };
  testInvalidObjects(clusterRoleBinding, base, [
    ...CLUSTER_CASES,
    ...BINDING_CASES,
    [
      "a namespace's role",
      { "roleRef.kind": "Role" },
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    ],
    [
      "a service account of no namespace",
      { subjects: [{ kind: "ServiceAccount", name: "jane" }] },
      "subjects[0].namespace: Required value",
    ],
  ]);
  testUpdates(clusterRoleBinding, base, IMMUTABLE);
});

describe("columns", () => {
  const metadata = { name: "reader", creationTimestamp: "2026-01-01T00:00:00Z" };

  test("a role shows when it was made", () => {
    const want = { Name: "reader", "Created At": "2026-01-01T00:00:00Z" };
    expect(cellsOf(role, { metadata })).toEqual(want);
    expect(cellsOf(clusterRole, { metadata })).toEqual(want);
  });

  test("a binding shows its role and its subjects by kind", () => {
    const binding = {
      metadata,
      roleRef,
      subjects: [
        subject({}),
        subject({ name: "joe" }),
        subject({ kind: "Group", name: "ops" }),
        { kind: "ServiceAccount", name: "builder", namespace: "ci" },
      ],
    };
    const want = {
      Name: "reader",
      Role: "ClusterRole/view",
      Age: metadata.creationTimestamp,
      Users: "jane, joe",
      Groups: "ops",
      ServiceAccounts: "ci/builder",
    };
    expect(cellsOf(roleBinding, binding)).toEqual(want);
    expect(cellsOf(clusterRoleBinding, binding)).toEqual(want);
  });
});
