/**
 * A write takes the fields that it changed from all other managers and adds them to its own; removed fields leave
 * everyone's. Source: apimachinery util/managedfields/internal fieldmanager.go, managedfieldsupdater.go and
 * structured-merge-diff merge/update.go.
 */
import { emptyObject } from "../decode.ts";
import { deepEqual } from "../deepEqual.ts";
import { type KubeObject, type ManagedFieldsEntry, timestamp } from "../object.ts";
import type { StructSchema } from "../schema.ts";
import { type FieldSet, isEmptySet, union, withoutSubtrees } from "./fieldSet.ts";
import {
  areValid,
  capped,
  fieldsOf,
  isManager,
  type ManagerId,
  type Managers,
  newEntry,
  sorted,
  withEntry,
  withoutFields,
} from "./managers.ts";
import { diffObjects, type TypedDiff } from "./typedDiff.ts";

export interface UpdateInput<T extends KubeObject> {
  /** The stored object; undefined for a create. */
  readonly live: T | undefined;
  /** What it shall become, decoded by its schema. Its own managedFields are taken note of, as upstream does. */
  readonly next: T;
  /** The field manager: the query parameter, or the first part of the user agent. Empty is "unknown". */
  readonly manager: string;
  readonly apiVersion: string;
  /** "" for the object itself, else "status", "scale", … */
  readonly subresource: string;
  readonly nowMs: number;
  readonly schema: StructSchema;
  /** What a write at this endpoint cannot change: `fieldSetOf("status")`. Such fields change owners by it never. */
  readonly resetFields?: FieldSet;
}

/** Gives `next` with the managedFields that the write leads to. Never throws. */
export function updateManagedFields<T extends KubeObject>(input: UpdateInput<T>): T {
  const managers = managersBefore(input);
  const isCreate = input.live === undefined || (input.live.metadata.uid ?? "") === "";
  if (managers.length === 0 && !isCreate) return withManagers(input.next, managers);
  return withManagers(input.next, managersAfter(managers, input));
}

const NOBODY: Managers = [];

/** Source: decodeLiveOrNew. A subresource cannot set managedFields; `[]` or `[{}]` at the object itself clears them. */
function managersBefore<T extends KubeObject>({ live, next, subresource }: UpdateInput<T>): Managers {
  const stored = live?.metadata.managedFields ?? NOBODY;
  const sent = next.metadata.managedFields;
  if (subresource !== "" || sent === undefined || sent === stored) return stored;
  if (isReset(sent)) return NOBODY;
  return deepEqual(sent, stored) || !areValid(sent) ? stored : sent;
}

const isReset = (managers: Managers): boolean =>
  managers.length === 0 || (managers.length === 1 && Object.keys(managers[0] as object).length === 0);

/** Source: structured-merge-diff Updater.Update. */
export function managersAfter<T extends KubeObject>(managers: Managers, input: UpdateInput<T>): Managers {
  const diff = withoutReset(diffObjects(live(input), json(input.next), input.schema), input.resetFields);
  if (diff === undefined) return managers;
  const id: ManagerId = {
    manager: input.manager === "" ? "unknown" : input.manager,
    operation: "Update",
    apiVersion: input.apiVersion,
    subresource: input.subresource,
  };
  const others = withoutFields(withoutFields(managers, diff.removed), diff.changed, id);
  if (isEmptySet(diff.changed)) return others === managers ? managers : sorted(others);
  const own = others.find((entry) => isManager(entry, id));
  const fields = own === undefined ? diff.changed : union(fieldsOf(own), diff.changed);
  return sorted(capped(withEntry(others, newEntry(id, fields, timestamp(input.nowMs)), id)));
}

const json = (object: object): Readonly<Record<string, unknown>> => object as Readonly<Record<string, unknown>>;
const live = <T extends KubeObject>({ live, schema }: UpdateInput<T>) => json(live ?? emptyObject(schema));

export function withoutReset(diff: TypedDiff | undefined, reset: FieldSet | undefined): TypedDiff | undefined {
  if (diff === undefined || reset === undefined) return diff;
  const changed = withoutSubtrees(diff.changed, reset);
  const removed = withoutSubtrees(diff.removed, reset);
  return isEmptySet(changed) && isEmptySet(removed) ? undefined : { changed, removed };
}

/** Nobody owns anything: no field at all, rather than an empty list. */
export function withManagers<T extends KubeObject>(object: T, managers: Managers): T {
  const current = object.metadata.managedFields;
  if (current === managers || (current === undefined && managers.length === 0)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  if (managers.length > 0) return { ...object, metadata: { ...metadata, managedFields: managers } };
  return { ...object, metadata };
}

/**
 * Whether a write would change nothing but the times in managedFields; such a write is not stored.
 * Source: apiserver fieldmanager IgnoreManagedFieldsTimestampsTransformer.
 */
export function isUnchanged<T extends KubeObject>(stored: T, next: T): boolean {
  if (stored === next) return true;
  return deepEqual({ ...stored, metadata: timeless(stored) }, { ...next, metadata: timeless(next) });
}

const timeless = ({ metadata }: KubeObject): object => ({
  ...metadata,
  managedFields: metadata.managedFields?.map(({ time: _, ...entry }: ManagedFieldsEntry) => entry),
});
