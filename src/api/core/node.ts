import { defineKind } from "../../machinery/defineKind.ts";
import type { Node } from "../generated/core-v1.ts";

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
});
