/** Fields that another manager owns. Source: apimachinery util/managedfields/internal/conflict.go. */
import { ApiError, type StatusCause } from "../errors.ts";
import type { ManagedFieldsEntry } from "../object.ts";
import { type FieldSet, intersection, isEmptySet, members } from "./fieldSet.ts";
import { fieldsOf, isManager, type ManagerId, type Managers } from "./managers.ts";
import { printPath } from "./pathElements.ts";

export interface ManagerConflict {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

/** Managers other than the applying one that own any of the changed fields. */
export function conflictsOf(managers: Managers, changed: FieldSet, id: ManagerId): ManagerConflict[] {
  return managers
    .filter((entry) => !isManager(entry, id))
    .map((entry) => ({ entry, fields: intersection(fieldsOf(entry), changed) }))
    .filter(({ fields }) => !isEmptySet(fields));
}

/** `"kubectl" using apps/v1`, `"hpa" with subresource "scale"`. */
function printManager({ manager, subresource, operation, apiVersion }: ManagedFieldsEntry): string {
  const name = JSON.stringify(manager ?? "");
  const place = subresource === undefined || subresource === "" ? name : `${name} with subresource "${subresource}"`;
  return operation === "Update" ? `${place} using ${apiVersion}` : place;
}

/** The 409 with one cause per field. Source: NewConflictError, errors.NewApplyConflict. */
export function conflictError(conflicts: readonly ManagerConflict[]): ApiError {
  const all = conflicts
    .map(({ entry, fields }) => ({ name: printManager(entry), paths: [...members(fields)].map(printPath) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const causes = all.flatMap(({ name, paths }) =>
    paths.map((field): StatusCause => ({ reason: "FieldManagerConflict", message: `conflict with ${name}`, field })),
  );
  return new ApiError("Conflict", conflictMessage(all, causes.length), { details: { causes } });
}

function conflictMessage(all: readonly { name: string; paths: readonly string[] }[], count: number): string {
  const [first] = all;
  if (count === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${first.name}: ${first.paths[0]}`;
  }
  const lines = all.flatMap(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)]);
  return `Apply failed with ${count} conflicts: ${lines.join("\n")}`;
}
