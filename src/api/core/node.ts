import { defineKind, type WriteContext } from "../../machinery/defineKind.ts";
import type { Node } from "../generated/core-v1.ts";
import { withField } from "../missing.ts";
import { withFirst } from "./firstOfMany.ts";
import { nodeColumns } from "./nodeColumns.ts";
import { validateNode, validateNodeUpdate } from "./nodeValidation.ts";
import { resourceListDefaults } from "./podSpec/resourceDefaults.ts";

/** Source: apis/core/v1/defaults.go, SetDefaults_NodeStatus. */
const statusDefaults = (node: Node): Node =>
  withField(node, "status", (status) => {
    const { capacity } = status;
    const whole = status.allocatable === undefined && capacity ? { ...status, allocatable: capacity } : status;
    return withField(withField(whole, "capacity", resourceListDefaults), "allocatable", resourceListDefaults);
  });

const nodeDefaults = (node: Node): Node =>
  withField(statusDefaults(node), "spec", (spec) => {
    const { one: podCIDR, many: podCIDRs } = withFirst(spec.podCIDR, spec.podCIDRs, { of: String, make: String });
    if (podCIDR === spec.podCIDR && podCIDRs === spec.podCIDRs) return spec;
    return { ...spec, ...(podCIDR !== undefined && { podCIDR }), ...(podCIDRs !== undefined && { podCIDRs }) };
  });

/** Kubelets are no longer configured through their node. Source: registry/core/node strategy.go, dropDisabledFields. */
function withoutConfigSource(node: Node): Node {
  if (node.spec?.configSource === undefined) return node;
  const { configSource: _, ...spec } = node.spec;
  return { ...node, spec };
}

function withoutConfig(node: Node): Node {
  if (node.status?.config === undefined) return node;
  const { config: _, ...status } = node.status;
  return { ...node, status };
}

/** What is stored already may stay. */
function prepareNodeForUpdate(next: Node, previous: Node, { subresource }: WriteContext): Node {
  if (subresource === "status") return previous.status?.config === undefined ? withoutConfig(next) : next;
  return previous.spec?.configSource === undefined ? withoutConfigSource(next) : next;
}

/** Source: strategy.go, fieldIsDeprecatedWarnings. */
function nodeWarnings({ spec }: Node): string[] {
  const warnings: string[] = [];
  if (spec?.configSource !== undefined) warnings.push("spec.configSource: the feature is removed");
  if (spec?.externalID) {
    warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
  return warnings;
}

/** A machine that runs pods. */
export const node = defineKind<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  scope: "Cluster",
  storagePrefix: "/registry/minions",
  subresources: {
    status: true,
    served: [{ name: "proxy", kind: "NodeProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] }],
  },
  fieldSelectors: { "spec.unschedulable": (node) => String(node.spec?.unschedulable ?? false) },
  withDefaults: nodeDefaults,
  columns: nodeColumns,
  prepareForCreate: (node) => withoutConfig(withoutConfigSource(node)),
  prepareForUpdate: prepareNodeForUpdate,
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  warnings: nodeWarnings,
});
