import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { type FieldError, FieldPath, invalid, required } from "../../machinery/fieldErrors.ts";
import { parseApiVersion } from "../../machinery/object.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { controllerOf } from "../../machinery/ownerReferences.ts";
import { NOT_NEGATIVE } from "../checks.ts";
import { NONE } from "../columns.ts";
import type { ControllerRevision } from "../generated/apps-v1.ts";

/** "daemonset.apps/agent". Source: printers.go, formatResourceName. */
function controllerText(revision: ControllerRevision): string {
  const controller = controllerOf(revision);
  if (controller === undefined) return NONE;
  const { group } = parseApiVersion(controller.apiVersion);
  return `${(group === "" ? controller.kind : `${controller.kind}.${group}`).toLowerCase()}/${controller.name}`;
}

const dataPath = new FieldPath("data");

/** Source: apis/apps/validation ValidateControllerRevisionCreate. */
function validateControllerRevision({ revision, data }: ControllerRevision): FieldError[] {
  const errors: FieldError[] = [];
  if ((revision ?? 0) < 0) errors.push(invalid(new FieldPath("revision"), revision, NOT_NEGATIVE));
  if (data === undefined || data === null) errors.push(required(dataPath, "data is mandatory"));
  else if (typeof data !== "object" || Array.isArray(data)) {
    errors.push(required(dataPath, "data must be a valid JSON object"));
  }
  return errors;
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
  validate: validateControllerRevision,
  validateUpdate: (next, previous) => validateImmutable(next.data, previous.data, dataPath),
});
