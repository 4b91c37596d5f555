/** Takes fields out of an object. Source: structured-merge-diff typed/remove.go. */
import { ANY, type ListSchema, type Schema, type StructSchema } from "../schema.ts";
import { type FieldSet, isEmptySet, isMember } from "./fieldSet.ts";
import { fieldElement, itemElement } from "./pathElements.ts";
import { schemaOfField } from "./wholeNode.ts";

type Json = Readonly<Record<string, unknown>>;

/** A struct, map or list of which nothing is left is null. */
export const removeItems = (object: Json, set: FieldSet, schema: StructSchema): Json =>
  isEmptySet(set) ? object : (removeEntries(object, set, (name) => schemaOfField(schema, name)) ?? {});

function removeFrom(value: unknown, set: FieldSet, schema: Schema): unknown {
  if (typeof value !== "object" || value === null) return value;
  switch (schema.kind) {
    case "scalar":
      return value;
    case "any":
      return schema.atomic || Array.isArray(value) ? null : removeEntries(value as Json, set, () => ANY);
    case "map":
      return schema.atomic ? null : removeEntries(value as Json, set, () => schema.values);
    case "struct":
      return schema.atomic ? null : removeEntries(value as Json, set, (name) => schemaOfField(schema, name));
    case "list":
      return schema.listType === "atomic" ? null : removeFromList(value as unknown[], set, schema);
    default:
      return schema satisfies never;
  }
}

function removeEntries(value: Json, set: FieldSet, schemaOf: (name: string) => Schema | undefined): Json | null {
  const result: Record<string, unknown> = {};
  for (const name in value) {
    const node = set[fieldElement(name)];
    const schema = schemaOf(name);
    if (node === undefined || schema === undefined) result[name] = value[name];
    else if (!isMember(node)) result[name] = removeFrom(value[name], node, schema);
  }
  return isEmptySet(result as FieldSet) ? null : result;
}

function removeFromList(list: readonly unknown[], set: FieldSet, schema: ListSchema): unknown[] | null {
  const result: unknown[] = [];
  for (const item of list) {
    const node = set[itemElement(item, schema) ?? ""];
    if (node === undefined) result.push(item);
    else if (!isMember(node)) result.push(removeFrom(item, node, schema.items));
  }
  return result.length === 0 ? null : result;
}
