import { defineKind } from "../../machinery/defineKind.ts";
import type { DaemonSet } from "../generated/apps-v1.ts";

/** One pod on every node that fits. */
export const daemonSet = defineKind<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: { status: true },
  hasGeneration: true,
});
