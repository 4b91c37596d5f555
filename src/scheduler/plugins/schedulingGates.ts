import type { SchedulerPlugin } from "../framework.ts";

/** Keeps a pod out of the queue while it has gates. Source: plugins/schedulinggates. */
export const schedulingGates: SchedulerPlugin = {
  name: "SchedulingGates",
  gate: ({ spec }) => (spec.schedulingGates ?? []).length > 0,
  helpedBy: ["pod-changed"],
};
