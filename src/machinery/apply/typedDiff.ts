/**
 * What changed between two objects, as field sets. Objects share unchanged parts by reference, so that a small change
 * costs little; nothing is allocated for what is equal.
 * Source: structured-merge-diff typed/compare.go.
 */
import { deepEqual } from "../deepEqual.ts";
import { ANY, type Field, type ListSchema, type MapSchema, type Schema, type StructSchema } from "../schema.ts";
import { EMPTY_SET, type FieldSet, isEmptySet, LEAF } from "./fieldSet.ts";
import { fieldElement, itemElement, sameKeys } from "./pathElements.ts";
import { wholeNode } from "./wholeNode.ts";

type Json = Readonly<Record<string, unknown>>;

export interface TypedDiff {
  /** Added or given another value. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** Undefined: equal. */
type Difference = TypedDiff | undefined;

const LEAF_CHANGED: TypedDiff = { changed: LEAF, removed: EMPTY_SET };

/** Collects differences of children under a parent that both objects have. */
class Children {
  private changed: Record<string, FieldSet> | undefined;
  private removed: Record<string, FieldSet> | undefined;

  addChanged(element: string, node: FieldSet): void {
    this.changed ??= {};
    this.changed[element] = node;
  }

  addRemoved(element: string, node: FieldSet): void {
    this.removed ??= {};
    this.removed[element] = node;
  }

  /** An empty set in a difference of children means nothing, never a member: members come as LEAF. */
  add(element: string, inner: Difference): void {
    if (inner === undefined) return;
    if (inner === LEAF_CHANGED) this.addChanged(element, LEAF);
    else {
      if (!isEmptySet(inner.changed)) this.addChanged(element, inner.changed);
      if (!isEmptySet(inner.removed)) this.addRemoved(element, inner.removed);
    }
  }

  result(): Difference {
    if (this.changed === undefined && this.removed === undefined) return undefined;
    return { changed: this.changed ?? EMPTY_SET, removed: this.removed ?? EMPTY_SET };
  }
}

/** Fields that no manager owns. Source: managedfields/internal/stripmeta.go. */
const UNOWNED = new Set(["apiVersion", "kind"]);
const UNOWNED_METADATA = new Set([
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
]);

/** Compares whole objects, without the fields that nobody owns. Undefined when equal. */
export function diffObjects(before: Json, after: Json, schema: StructSchema): TypedDiff | undefined {
  const children = new Children();
  const metadata = schema.fields.get("metadata")?.schema ?? ANY;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const name of names) {
    if (UNOWNED.has(name)) continue;
    if (name !== "metadata") compareField(before, after, { name, schema, children });
    else children.add("f:metadata", compareMetadata(before[name], after[name], metadata));
  }
  return children.result();
}

function compareMetadata(before: unknown, after: unknown, schema: Schema): Difference {
  if (before === after) return undefined;
  const inner = schema.kind === "struct" ? schema : undefined;
  const children = new Children();
  const left = (before ?? {}) as Json;
  const right = (after ?? {}) as Json;
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (UNOWNED_METADATA.has(name)) continue;
    if (inner === undefined) compareEntry(left, right, { key: name, values: ANY, children });
    else compareField(left, right, { name, schema: inner, children });
  }
  return children.result();
}

interface FieldAt {
  readonly name: string;
  readonly schema: StructSchema;
  readonly children: Children;
}

/** Lists and maps that Go writes as null when empty are there even when they are not: only their content counts. */
const isNeverAbsent = ({ schema, omitsEmpty }: Field): boolean =>
  (schema.kind === "list" || schema.kind === "map") && !omitsEmpty;

function compareField(before: Json, after: Json, { name, schema, children }: FieldAt): void {
  const left = before[name];
  const right = after[name];
  if (left === right) return;
  const field = schema.fields.get(name);
  if (field === undefined) {
    if (schema.preserveUnknown) compareEntry(before, after, { key: name, values: ANY, children });
    return;
  }
  const element = fieldElement(name);
  if (left !== undefined && right !== undefined) children.add(element, compareValues(left, right, field.schema));
  else if (isNeverAbsent(field)) children.add(element, compareValues(left ?? null, right ?? null, field.schema));
  else if (left === undefined) children.addChanged(element, wholeNode(right, field.schema));
  else children.addRemoved(element, wholeNode(left, field.schema));
}

interface EntryAt {
  readonly key: string;
  readonly values: Schema;
  readonly children: Children;
}

function compareEntry(before: Json, after: Json, { key, values, children }: EntryAt): void {
  const left = before[key];
  const right = after[key];
  if (left === right) return;
  const element = fieldElement(key);
  if (left === undefined) children.addChanged(element, wholeNode(right, values));
  else if (right === undefined) children.addRemoved(element, wholeNode(left, values));
  else children.add(element, compareValues(left, right, values));
}

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Both are there; null is a value. */
export function compareValues(before: unknown, after: unknown, schema: Schema): Difference {
  if (before === after) return undefined;
  switch (schema.kind) {
    case "scalar":
      return LEAF_CHANGED;
    case "any":
      if (schema.atomic || !isJson(before) || !isJson(after)) return compareLeaves(before, after);
      return compareMaps(before, after, ANY);
    case "map":
      if (schema.atomic) return compareLeaves(before, after);
      return compareMaps(asMap(before), asMap(after), (schema as MapSchema).values);
    case "struct":
      if (schema.atomic) return compareLeaves(before, after);
      return compareStructs(asMap(before), asMap(after), schema);
    case "list":
      return compareLists(before, after, schema);
    default:
      return schema satisfies never;
  }
}

const compareLeaves = (before: unknown, after: unknown): Difference =>
  deepEqual(before, after) ? undefined : LEAF_CHANGED;

const asMap = (value: unknown): Json => (isJson(value) ? value : {});
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function compareStructs(before: Json, after: Json, schema: StructSchema): Difference {
  const children = new Children();
  for (const name in after) compareField(before, after, { name, schema, children });
  for (const name in before) if (after[name] === undefined) compareField(before, after, { name, schema, children });
  return children.result();
}

function compareMaps(before: Json, after: Json, values: Schema): Difference {
  const children = new Children();
  for (const key in after) compareEntry(before, after, { key, values, children });
  for (const key in before) if (after[key] === undefined) compareEntry(before, after, { key, values, children });
  return children.result();
}

function compareLists(before: unknown, after: unknown, schema: ListSchema): Difference {
  const left = asList(before);
  const right = asList(after);
  if (schema.listType === "atomic" || (left.length === 0 && right.length === 0)) return compareLeaves(before, after);
  const pairwise = compareInPlace(left, right, schema);
  return pairwise === "moved" ? compareByKey(left, right, schema) : pairwise;
}

/** The usual case: the same items in the same places. */
function compareInPlace(left: readonly unknown[], right: readonly unknown[], schema: ListSchema): Difference | "moved" {
  if (left.length !== right.length) return "moved";
  const isMap = schema.listType === "map";
  for (let index = 0; index < left.length; index += 1) {
    const a = left[index];
    const b = right[index];
    if (a !== b && !(isMap && sameKeys(a, b, schema))) return "moved";
  }
  const children = new Children();
  for (let index = 0; index < left.length; index += 1) {
    const inner = compareValues(left[index], right[index], schema.items);
    if (inner !== undefined) children.add(itemElement(right[index], schema) ?? `i:${index}`, inner);
  }
  return children.result();
}

/** Items by element; several under one element are kept together, as upstream tolerates them in live objects. */
function itemsByElement(list: readonly unknown[], schema: ListSchema): Map<string, unknown[]> {
  const items = new Map<string, unknown[]>();
  list.forEach((item, index) => {
    const element = itemElement(item, schema) ?? `i:${index}`;
    const same = items.get(element);
    if (same === undefined) items.set(element, [item]);
    else same.push(item);
  });
  return items;
}

function compareByKey(left: readonly unknown[], right: readonly unknown[], schema: ListSchema): Difference {
  const before = itemsByElement(left, schema);
  const after = itemsByElement(right, schema);
  const children = new Children();
  for (const [element, items] of after) {
    const old = before.get(element);
    if (old === undefined) children.addChanged(element, wholeNode(items[0], schema.items));
    else if (old.length === 1 && items.length === 1) {
      children.add(element, compareValues(old[0], items[0], schema.items));
    } else if (!deepEqual(old, items)) children.addChanged(element, LEAF);
  }
  for (const [element, items] of before) {
    if (!after.has(element)) children.addRemoved(element, wholeNode(items[0], schema.items));
  }
  return children.result();
}
