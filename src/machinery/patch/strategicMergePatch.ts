/**
 * Strategic merge patches, `application/strategic-merge-patch+json`: merge patches that know from the schema which
 * lists are merged by key. Directives: `$patch` (replace, delete, merge), `$retainKeys`, `$setElementOrder/<field>`,
 * `$deleteFromPrimitiveList/<field>`. Nothing given is changed; untouched parts are shared.
 * Source: apimachinery util/strategicpatch/patch.go.
 */
import { ANY, type PatchStrategy, type Schema } from "../schema.ts";
import { badPatch, failedPatch, isJsonObject, type Json, setOwn } from "./patchError.ts";
import { listWithOrder, mergedList } from "./strategicLists.ts";

export const PATCH_DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
export const SET_ELEMENT_ORDER = "$setElementOrder/";
export const DELETE_FROM_PRIMITIVE_LIST = "$deleteFromPrimitiveList/";

/** What is known of a field: how a list or struct in it merges. */
export interface PatchField {
  /** Of the value; for a list, of its items. */
  readonly schema: Schema;
  readonly strategy: PatchStrategy | undefined;
  readonly mergeKey: string;
}

const UNKNOWN_FIELD: PatchField = { schema: ANY, strategy: undefined, mergeKey: "" };

/** Source: strategicpatch/meta.go LookupPatchMetadataFor{Struct,Slice}. */
export function patchFieldOf(schema: Schema, name: string): PatchField {
  const field = schema.kind === "struct" ? schema.fields.get(name) : undefined;
  const inner = schema.kind === "map" ? schema.values : field?.schema;
  if (inner === undefined) return UNKNOWN_FIELD;
  const strategies = inner.kind === "list" ? inner.patchStrategy : (field?.patchStrategy ?? []);
  return {
    schema: inner.kind === "list" ? inner.items : inner,
    strategy: strategies.find((strategy) => strategy !== "retainKeys"),
    mergeKey: inner.kind === "list" ? (inner.patchMergeKey ?? "") : "",
  };
}

/** Throws ApiError: 400 for a malformed patch, 500 as upstream for one that does not fit the schema. */
export function applyStrategicMergePatch<T>(document: T, patch: unknown, schema: Schema): T {
  if (!isJsonObject(patch)) throw badPatch("error decoding patch: invalid JSON document");
  return mergedMap(isJsonObject(document) ? document : {}, patch, schema) as T;
}

export function mergedMap(original: Json, patch: Json, schema: Schema): Json {
  const directive = patch[PATCH_DIRECTIVE];
  if (directive !== undefined) return withDirective(directive, patch);
  const result: Record<string, unknown> = { ...original };
  retainKeys(result, patch);
  const ordered = applyElementOrders(result, patch, schema);
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(SET_ELEMENT_ORDER) || ordered.has(key)) continue;
    const deletes = key.startsWith(DELETE_FROM_PRIMITIVE_LIST);
    const name = deletes ? key.slice(DELETE_FROM_PRIMITIVE_LIST.length) : key;
    mergeKeyInto(result, name, { value: patch[key], deletes, schema });
  }
  return result;
}

function withDirective(directive: unknown, patch: Json): Json {
  if (directive === "delete") return {};
  if (directive !== "replace") throw unknownDirective(directive, patch);
  const { [PATCH_DIRECTIVE]: _, ...rest } = patch;
  return rest;
}

/** Source: mergepatch.ErrBadPatchType. */
export const unknownDirective = (directive: unknown, patch: Json) =>
  failedPatch(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(patch)}`);

interface KeyPatch {
  readonly value: unknown;
  readonly deletes: boolean;
  readonly schema: Schema;
}

function mergeKeyInto(result: Record<string, unknown>, key: string, { value, deletes, schema }: KeyPatch): void {
  if (value === null || value === undefined) {
    delete result[key];
    return;
  }
  const current = Object.hasOwn(result, key) ? result[key] : undefined;
  if (isJsonObject(current) && isJsonObject(value)) {
    const field = patchFieldOf(schema, key);
    setOwn(result, key, field.strategy === "replace" ? value : mergedMap(current, value, field.schema));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    setOwn(result, key, mergedField(current, value, patchFieldOf(schema, key), deletes));
  } else if (!deletes) {
    const plain = withoutDirectives(withoutNulls(value));
    if (plain === undefined) delete result[key];
    else setOwn(result, key, plain);
  }
}

/** A list that is not merged is replaced, but values can be deleted from any list of primitives. */
function mergedField(current: unknown[], value: unknown[], field: PatchField, deletes: boolean): unknown[] {
  return field.strategy === "merge" || deletes ? mergedList(current, value, field, deletes) : value;
}

/** Keeps only the keys that `$retainKeys` names; the patch may set no others. */
function retainKeys(result: Record<string, unknown>, patch: Json): void {
  const retained = patch[RETAIN_KEYS];
  if (retained === undefined) return;
  if (!Array.isArray(retained)) throw badPatch(BAD_RETAIN_KEYS);
  const kept = new Set<unknown>(retained);
  for (const key of Object.keys(patch)) {
    const isDirective = key === RETAIN_KEYS || /^\$(setElementOrder|deleteFromPrimitiveList)\//.test(key);
    if (patch[key] !== null && !isDirective && !kept.has(key)) throw badPatch(BAD_RETAIN_KEYS);
  }
  for (const key of Object.keys(result)) if (!kept.has(key)) delete result[key];
}

const BAD_RETAIN_KEYS = "invalid patch format of retainKeys";

/** Merges the lists that come with an order, and gives the keys that this dealt with. */
function applyElementOrders(result: Record<string, unknown>, patch: Json, schema: Schema): Set<string> {
  const done = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ELEMENT_ORDER)) continue;
    const name = key.slice(SET_ELEMENT_ORDER.length);
    const field = patchFieldOf(schema, name);
    const current = listOrNothing(result[name]);
    const items = listOrNothing(patch[name]);
    const order = patch[key];
    if (!Array.isArray(order)) throw failedPatch("expected a []interface {}, but received a different type");
    const merged = mergedBeforeOrder(current, items, field);
    if (merged === undefined) continue;
    setOwn(result, name, listWithOrder({ merged, current: current ?? [], items: items ?? [], order, field }));
    done.add(name);
  }
  return done;
}

function mergedBeforeOrder(
  current: unknown[] | undefined,
  items: unknown[] | undefined,
  field: PatchField,
): unknown[] | undefined {
  if (items === undefined) return current;
  if (current === undefined) return withoutDirectives(items) as unknown[];
  return mergedField(current, items, field, false);
}

function listOrNothing(value: unknown): unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw failedPatch(`expected a []interface {}, but received a ${typeof value}`);
  return value;
}

/** Nulls in a part of the patch that meets nothing delete nothing. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setOwn(result, key, withoutNulls(value[key]));
  return result;
}

/** Objects with a `$patch` vanish: there was nothing to replace or delete. */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isJsonObject(value)) return value;
  if (value[PATCH_DIRECTIVE] !== undefined) return undefined;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const plain = withoutDirectives(value[key]);
    if (plain !== undefined) setOwn(result, key, plain);
  }
  return result;
}
