import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { parseApiVersion } from "../../machinery/object.ts";
import { controllerOf } from "../../machinery/ownerReferences.ts";
import { NONE } from "../columns.ts";
import type { ControllerRevision } from "../generated/apps-v1.ts";

/** "daemonset.apps/agent". Source: printers.go, formatResourceName. */
function controllerText(revision: ControllerRevision): string {
  const controller = controllerOf(revision);
  if (controller === undefined) return NONE;
  const { group } = parseApiVersion(controller.apiVersion);
  return `${(group === "" ? controller.kind : `${controller.kind}.${group}`).toLowerCase()}/${controller.name}`;
}

/** A state that a controller may go back to. */
export const controllerRevision = defineKind<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "Namespaced",
  columns: [
    nameColumn,
    { name: "Controller", type: "string", description: "Controller of the object", value: controllerText },
    { name: "Revision", type: "string", value: (revision) => revision.revision },
    ageColumn,
  ],
});
