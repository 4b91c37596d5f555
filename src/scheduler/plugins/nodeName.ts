import { reject, type SchedulerPlugin } from "../framework.ts";

/** Source: plugins/nodename. */
export const nodeName: SchedulerPlugin = {
  name: "NodeName",
  filter: (pod, node) => {
    const wanted = pod.spec.nodeName ?? "";
    return wanted === "" || wanted === node.name
      ? undefined
      : reject("node(s) didn't match the requested node name", { unresolvable: true });
  },
  helpedBy: ["node-added"],
};
