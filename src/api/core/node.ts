import { defineKind } from "../../machinery/defineKind.ts";
import type { Node } from "../generated/core-v1.ts";
import { withField } from "../missing.ts";
import { nodeColumns } from "./nodeColumns.ts";
import { validateNode, validateNodeUpdate } from "./nodeValidation.ts";
import { resourceListDefaults } from "./podSpec/resourceDefaults.ts";

/** Source: apis/core/v1/defaults.go, SetDefaults_NodeStatus. */
const nodeDefaults = (node: Node): Node =>
  withField(node, "status", (status) => {
    const { capacity } = status;
    const whole = status.allocatable === undefined && capacity ? { ...status, allocatable: capacity } : status;
    return withField(withField(whole, "capacity", resourceListDefaults), "allocatable", resourceListDefaults);
  });

/** Kubelets are no longer configured through their node. Source: registry/core/node strategy.go, dropDisabledFields. */
function withoutConfig(node: Node): Node {
  if (node.spec?.configSource === undefined) return node;
  const { configSource: _, ...spec } = node.spec;
  return { ...node, spec };
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
  prepareForCreate: withoutConfig,
  prepareForUpdate: (next, previous) => (previous.spec?.configSource === undefined ? withoutConfig(next) : next),
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
});
