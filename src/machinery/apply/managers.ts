/**
 * The list of who owns which fields. Entries are immutable; one that does not change is handed on as it is.
 * Source: apimachinery util/managedfields/internal managedfields.go, capmanagers.go.
 */
import type { ManagedFieldsEntry } from "../object.ts";
import { difference, EMPTY_SET, type FieldSet, isEmptySet, isFieldSet, union } from "./fieldSet.ts";

export type Managers = readonly ManagedFieldsEntry[];

export type Operation = "Apply" | "Update";

export interface ManagerId {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
}

/** Source: fieldmanager.go DefaultMaxUpdateManagers. */
export const UPDATE_MANAGERS_MAX = 10;
/** Under this name the oldest updates are put together. Source: capmanagers.go. */
const OLD_UPDATES_MANAGER = "ancient-changes";

export const fieldsOf = (entry: ManagedFieldsEntry): FieldSet => (entry.fieldsV1 as FieldSet | undefined) ?? EMPTY_SET;

/** Appliers are the same whatever version they apply; updaters are not. Source: BuildManagerIdentifier. */
export const isManager = (entry: ManagedFieldsEntry, id: ManagerId): boolean =>
  entry.manager === id.manager &&
  entry.operation === id.operation &&
  (entry.subresource ?? "") === id.subresource &&
  (id.operation === "Apply" || entry.apiVersion === id.apiVersion);

export const newEntry = (id: ManagerId, fields: FieldSet, time: string | undefined): ManagedFieldsEntry => ({
  apiVersion: id.apiVersion,
  fieldsType: "FieldsV1",
  fieldsV1: fields,
  manager: id.manager,
  operation: id.operation,
  ...(id.subresource !== "" && { subresource: id.subresource }),
  ...(time !== undefined && { time }),
});

const withFields = (entry: ManagedFieldsEntry, fields: FieldSet): ManagedFieldsEntry =>
  fields === fieldsOf(entry) ? entry : { ...entry, fieldsV1: fields };

/** Takes fields from every manager but one, and drops those with nothing left. */
export function withoutFields(managers: Managers, fields: FieldSet, except?: ManagerId): Managers {
  if (isEmptySet(fields)) return managers;
  let changed = false;
  const left: ManagedFieldsEntry[] = [];
  for (const entry of managers) {
    if (except !== undefined && isManager(entry, except)) {
      left.push(entry);
      continue;
    }
    const rest = difference(fieldsOf(entry), fields);
    if (rest === fieldsOf(entry) && !isEmptySet(rest)) left.push(entry);
    else {
      changed = true;
      if (!isEmptySet(rest)) left.push(withFields(entry, rest));
    }
  }
  return changed ? left : managers;
}

/** Puts an entry in the place of the manager's, or at the end. */
export function withEntry(managers: Managers, entry: ManagedFieldsEntry, id: ManagerId): Managers {
  const index = managers.findIndex((one) => isManager(one, id));
  return index < 0 ? [...managers, entry] : managers.with(index, entry);
}

const compareText = (a = "", b = ""): number => (a < b ? -1 : a > b ? 1 : 0);

/** Appliers first, then by time, name, version and subresource. Source: sortEncodedManagedFields. */
export const sorted = (managers: Managers): Managers =>
  managers.toSorted(
    (a, b) =>
      compareText(a.operation, b.operation) ||
      compareText(a.time, b.time) ||
      compareText(a.manager, b.manager) ||
      compareText(a.apiVersion, b.apiVersion) ||
      compareText(a.subresource, b.subresource),
  );

/** More than ten updaters: the oldest of each version become one entry. Source: capUpdateManagers. */
export function capped(managers: Managers): Managers {
  const updaters = managers.filter((entry) => entry.operation === "Update");
  let excess = updaters.length - UPDATE_MANAGERS_MAX;
  if (excess <= 0) return managers;
  let result = managers;
  const firstOfVersion = new Map<string, ManagedFieldsEntry>();
  for (const entry of updaters.toSorted((a, b) => compareText(a.time, b.time) || compareText(a.manager, b.manager))) {
    if (excess <= 0) break;
    const apiVersion = entry.apiVersion ?? "";
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, entry);
      continue;
    }
    result = merged(result, first, entry);
    excess -= 1;
  }
  return result;
}

/** Puts `entry` into the bucket of its version, which `first` becomes when there is none yet. */
function merged(managers: Managers, first: ManagedFieldsEntry, entry: ManagedFieldsEntry): Managers {
  const apiVersion = entry.apiVersion ?? "";
  const id: ManagerId = { manager: OLD_UPDATES_MANAGER, operation: "Update", apiVersion, subresource: "" };
  const bucket = managers.find((one) => isManager(one, id));
  const fields = union(fieldsOf(bucket ?? first), fieldsOf(entry));
  const rest = managers.filter((one) => one !== entry && one !== (bucket ?? first));
  return [...rest, newEntry(id, fields, entry.time)];
}

/** Whether foreign entries can be worked with. Source: DecodeManagedFields. */
export const areValid = (managers: Managers): boolean =>
  managers.every(
    (entry) =>
      (entry.operation === "Apply" || entry.operation === "Update") &&
      entry.apiVersion !== undefined &&
      entry.apiVersion !== "" &&
      entry.fieldsType === "FieldsV1" &&
      (entry.fieldsV1 === undefined || isFieldSet(entry.fieldsV1)),
  );
