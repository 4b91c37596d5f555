import { defineKind } from "../../machinery/defineKind.ts";
import type { PriorityClass } from "../generated/scheduling-v1.ts";

/** A name for how important a pod is. */
export const priorityClass = defineKind<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  scope: "Cluster",
});
