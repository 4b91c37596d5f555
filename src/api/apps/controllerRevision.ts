import { defineKind } from "../../machinery/defineKind.ts";
import type { ControllerRevision } from "../generated/apps-v1.ts";

/** A state that a controller may go back to. */
export const controllerRevision = defineKind<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "Namespaced",
});
