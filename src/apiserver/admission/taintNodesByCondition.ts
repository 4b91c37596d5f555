/**
 * A new node takes no pods until the node lifecycle controller has seen that it is ready.
 * Source: kubernetes plugin/pkg/admission/nodetaint.
 */
import type { Node, Taint } from "../../api/generated/core-v1.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { AdmissionPluginFactory } from "./chain.ts";

const NOT_READY: Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

export const taintNodesByCondition: AdmissionPluginFactory = () => ({
  name: "TaintNodesByCondition",
  mutate: ({ operation, ref, subresource, object }) => {
    if (operation !== "CREATE" || ref.resource !== "nodes" || subresource !== "") return object;
    const node = object as unknown as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return object;
    return { ...node, spec: { ...node.spec, taints: [...taints, NOT_READY] } } as unknown as KubeObject;
  },
});
