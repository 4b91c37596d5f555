import type { SchedulerPlugin } from "../framework.ts";

/** Keeps a pod out of the queue while it has gates. Source: plugins/schedulinggates. */
export const schedulingGates: SchedulerPlugin = {
  name: "SchedulingGates",
  gate: (pod) => {
    const gates = (pod.spec.schedulingGates ?? []).map(({ name }) => name);
    return gates.length === 0 ? undefined : `waiting for scheduling gates: [${gates.join(" ")}]`;
  },
  helpedBy: ["pod-changed"],
};
