import { describe, expect, test } from "vitest";
import type { Namespace, Node } from "../generated/core-v1.ts";
import { changed, testInvalidObjects, testUpdates, updateErrors } from "../invalidCases.ts";
import {
  CLUSTER_CASES,
  LABEL_REASON,
  LABEL_VALUE_REASON,
  QUALIFIED_REASON,
  SUBDOMAIN_REASON,
} from "../metadataCases.ts";
import { namespace } from "./namespace.ts";
import { node } from "./node.ts";

const CONTEXT = { nowMs: 0, subresource: "", user: { name: "tester", groups: [] } };
const NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

describe("nodes", () => {
  const BASE = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1" },
    spec: { podCIDRs: ["10.244.0.0/24"], podCIDR: "10.244.0.0/24", providerID: "skiff://n1" },
    status: { capacity: { cpu: "2", memory: "4Gi" } },
  };
  const taint = (change: object) => ({ "spec.taints": [{ key: "a", effect: "NoSchedule", ...change }] });
  testInvalidObjects(node, BASE, [
    ...CLUSTER_CASES,
    ["a name in capitals", { "metadata.name": "N" }, `metadata.name: Invalid value: "N": ${SUBDOMAIN_REASON}`],
    [
      "a taint key with a blank",
      taint({ key: "a b" }),
      `metadata.taints[0].key: Invalid value: "a b": ${QUALIFIED_REASON}`,
    ],
    [
      "a taint value with a blank",
      taint({ value: "b c" }),
      `metadata.taints[0].value: Invalid value: "b c": ${LABEL_VALUE_REASON}`,
    ],
    ["a taint without an effect", taint({ effect: "" }), "metadata.taints[0].effect: Required value"],
    [
      "an unknown effect",
      taint({ effect: "Evict" }),
      'metadata.taints[0].effect: Unsupported value: "Evict": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
    [
      "a taint twice",
      {
        "spec.taints": [
          { key: "a", effect: "NoSchedule" },
          { key: "a", value: "b", effect: "NoSchedule" },
        ],
      },
      'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
    ],
    ["a single range that is none", { "spec.podCIDR": "x" }, `spec.podCIDRs[0]: Invalid value: "x": ${NO_CIDR}`],
    [
      "a range that is none",
      { "spec.podCIDR": undefined, "spec.podCIDRs": ["x"] },
      `spec.podCIDRs[0]: Invalid value: "x": ${NO_CIDR}`,
    ],
    [
      "two ranges of one family",
      { "spec.podCIDR": undefined, "spec.podCIDRs": ["10.0.0.0/24", "10.0.1.0/24"] },
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
    ],
    [
      "a negative capacity",
      { "status.capacity.cpu": "-1", "status.allocatable": {} },
      'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      "half a pod",
      { "status.capacity": { pods: "500m" }, "status.allocatable": {} },
      'status.capacity.pods: Invalid value: "500m": must be an integer',
    ],
    [
      "a feature that is not sorted",
      { "status.declaredFeatures": ["B", "A"] },
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
    ],
  ]);
  testUpdates(node, BASE, [
    ["taints may change", taint({})],
    ["a node may be cordoned", { "spec.unschedulable": true }],
    [
      "ranges may not change",
      { "spec.podCIDR": "10.244.1.0/24" },
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    ],
    [
      "the provider's name may not change",
      { "spec.providerID": "other" },
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ],
    [
      "addresses are named once",
      {
        "status.addresses": [
          { type: "InternalIP", address: "10.0.0.1" },
          { type: "InternalIP", address: "10.0.0.1" },
        ],
      },
      'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}',
    ],
  ]);

  test("what can be allocated is the capacity, where nothing else is said", () => {
    expect(node.withDefaults(BASE as unknown as Node).status?.allocatable).toEqual({ cpu: "2", memory: "4Gi" });
  });

  test("prints state, roles, addresses and system", () => {
    const one = changed(BASE, {
      "metadata.labels": { "node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "edge" },
      "spec.unschedulable": true,
      "status.conditions": [{ type: "Ready", status: "True" }],
      "status.addresses": [{ type: "InternalIP", address: "10.0.0.1" }],
      "status.nodeInfo": { kubeletVersion: "v1.36.3", kernelVersion: "6.1", architecture: "amd64", osImage: "Debian" },
    }) as unknown as Node;
    const cells = node.columns.filter(({ name }) => name !== "Age").map(({ value }) => value(one, { nowMs: 0 }));
    expect(cells).toEqual([
      "n1",
      "Ready,SchedulingDisabled",
      "control-plane,edge",
      "v1.36.3",
      "10.0.0.1",
      "<none>",
      "Debian",
      "6.1 (amd64)",
      "<unknown>",
    ]);
  });
});

describe("namespaces", () => {
  const BASE = { apiVersion: "v1", kind: "Namespace", metadata: { name: "web" } };
  const LONG = "x".repeat(64);
  const UNQUALIFIED = "name is neither a standard finalizer name nor is it fully qualified";
  testInvalidObjects(namespace, BASE, [
    ...CLUSTER_CASES.filter(([name]) => name !== "no name"),
    ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${LABEL_REASON}`],
    ["a name with a dot", { "metadata.name": "a.b" }, 'metadata.name: Invalid value: "a.b": must not contain dots'],
    [
      "a name that is too long",
      { "metadata.name": LONG },
      `metadata.name: Invalid value: "${LONG}": must be no more than 63 characters`,
      `metadata.labels: Invalid value: "${LONG}": must be no more than 63 bytes`,
    ],
    [
      "a finalizer without a domain",
      { "spec.finalizers": ["mine"] },
      `spec.finalizers: Invalid value: "mine": ${UNQUALIFIED}`,
    ],
  ]);
  testUpdates(namespace, BASE, [["labels may change", { "metadata.labels": { a: "b" } }]]);
  testUpdates(
    namespace,
    BASE,
    [
      [
        "a namespace that is not going is active",
        { "status.phase": "Terminating" },
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty",
      ],
    ],
    "status",
  );

  test("a finalizer's entry is named", () => {
    const previous = BASE as unknown as Namespace;
    const next = changed(previous, { "spec.finalizers": ["mine"] });
    expect(updateErrors(namespace, next, previous, "finalize")).toEqual([
      `spec.finalizers[0]: Invalid value: "mine": ${UNQUALIFIED}`,
    ]);
  });

  test("wears its name, is active and held by its controller", () => {
    const made = namespace.prepareForCreate(namespace.withDefaults(BASE as unknown as Namespace), CONTEXT);
    expect(made.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "web" });
    expect(made.spec?.finalizers).toEqual(["kubernetes"]);
    expect(made.status?.phase).toBe("Active");
  });

  test("an ordinary update leaves the finalizers", () => {
    const previous = changed(BASE, { "spec.finalizers": ["kubernetes"] }) as unknown as Namespace;
    const next = changed(previous, { "spec.finalizers": [] });
    expect(namespace.prepareForUpdate(next, previous, CONTEXT).spec?.finalizers).toEqual(["kubernetes"]);
  });
});
