/** The fields that an applied configuration names. Source: structured-merge-diff typed/tofieldset.go. */
import { ANY, type ListSchema, type Schema, type StructSchema } from "../schema.ts";
import { asMember, type FieldSet, isEmptySet, LEAF } from "./fieldSet.ts";
import { fieldElement, itemElement } from "./pathElements.ts";
import { schemaOfField } from "./wholeNode.ts";

type Json = Readonly<Record<string, unknown>>;

/** The leaves, the items of lists and the keys of maps; structs are not named by themselves unless they are empty. */
export const ownedFields = (object: Json, schema: StructSchema): FieldSet => ownedInStruct(object, schema);

/** Undefined: nothing in it is named (an empty list that is merged). */
function ownedNode(value: unknown, schema: Schema): FieldSet | undefined {
  if (typeof value !== "object" || value === null) return LEAF;
  switch (schema.kind) {
    case "scalar":
      return LEAF;
    case "any":
      return schema.atomic || Array.isArray(value) ? LEAF : ownedInMap(value as Json, ANY);
    case "map":
      return schema.atomic ? LEAF : ownedInMap(value as Json, schema.values);
    case "struct":
      return schema.atomic ? LEAF : ownedInStruct(value as Json, schema);
    case "list":
      return schema.listType === "atomic" ? LEAF : ownedInList(value as unknown[], schema);
    default:
      return schema satisfies never;
  }
}

function ownedInStruct(value: Json, schema: StructSchema): FieldSet {
  const node: Record<string, FieldSet> = {};
  for (const name in value) {
    const inner = schemaOfField(schema, name);
    if (inner === undefined || value[name] === undefined) continue;
    const owned = ownedNode(value[name], inner);
    if (owned === undefined) continue;
    node[fieldElement(name)] = schema.fields.has(name) ? owned : asMember(owned);
  }
  return node;
}

function ownedInMap(value: Json, values: Schema): FieldSet {
  const node: Record<string, FieldSet> = {};
  for (const key in value) {
    if (value[key] !== undefined) node[fieldElement(key)] = asMember(ownedNode(value[key], values) ?? LEAF);
  }
  return node;
}

function ownedInList(list: readonly unknown[], schema: ListSchema): FieldSet | undefined {
  const node: Record<string, FieldSet> = {};
  for (const item of list) {
    const element = itemElement(item, schema);
    if (element === undefined) continue;
    node[element] = node[element] === undefined ? asMember(ownedNode(item, schema.items) ?? LEAF) : LEAF;
  }
  return isEmptySet(node) ? undefined : node;
}

/**
 * Adds every struct field that has members below it. Source: fieldpath Set.EnsureNamedFieldsAreMembers, which makes
 * set arithmetic treat structs as present when anything in them is.
 */
export function withNamedFields(set: FieldSet, schema: Schema | undefined): FieldSet {
  let result: Record<string, FieldSet> | undefined;
  for (const element in set) {
    const node = set[element] as FieldSet;
    if (element === "." || isEmptySet(node)) continue;
    const isField = schema?.kind === "struct" && schema.fields.has(element.slice(2));
    const inner = withNamedFields(node, schemaBelow(element, schema));
    const named = isField ? asMember(inner) : inner;
    if (named === node) continue;
    result ??= { ...set };
    result[element] = named;
  }
  return result ?? set;
}

function schemaBelow(element: string, schema: Schema | undefined): Schema | undefined {
  if (schema === undefined) return undefined;
  if (element.startsWith("k:")) return schema.kind === "list" ? schema.items : undefined;
  if (!element.startsWith("f:")) return undefined;
  if (schema.kind === "struct") return schemaOfField(schema, element.slice(2));
  return schema.kind === "map" ? schema.values : schema.kind === "any" ? ANY : undefined;
}
