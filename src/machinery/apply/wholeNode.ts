/** Everything in a value, as a field set: what is added with it, or goes with it. */
import { ANY, type ListSchema, type Schema, type StructSchema } from "../schema.ts";
import { asMember, type FieldSet, LEAF } from "./fieldSet.ts";
import { fieldElement, itemElement } from "./pathElements.ts";

type Json = Readonly<Record<string, unknown>>;

export function wholeNode(value: unknown, schema: Schema): FieldSet {
  if (typeof value !== "object" || value === null) return LEAF;
  switch (schema.kind) {
    case "scalar":
      return LEAF;
    case "any":
      return schema.atomic || Array.isArray(value) ? LEAF : wholeEntries(value as Json, () => ANY);
    case "map":
      return schema.atomic ? LEAF : wholeEntries(value as Json, () => schema.values);
    case "struct":
      if (schema.atomic) return LEAF;
      return wholeEntries(value as Json, (name) => schemaOfField(schema, name));
    case "list":
      return schema.listType === "atomic" ? LEAF : wholeItems(value as unknown[], schema);
    default:
      return schema satisfies never;
  }
}

/** Undefined for a field that the schema does not know and that is therefore not kept. */
export const schemaOfField = (schema: StructSchema, name: string): Schema | undefined =>
  schema.fields.get(name)?.schema ?? (schema.preserveUnknown ? ANY : undefined);

function wholeEntries(value: Json, schemaOf: (name: string) => Schema | undefined): FieldSet {
  const node: Record<string, FieldSet> = {};
  for (const name in value) {
    const schema = schemaOf(name);
    const child = value[name];
    if (schema !== undefined && child !== undefined) node[fieldElement(name)] = wholeNode(child, schema);
  }
  return asMember(node);
}

function wholeItems(list: readonly unknown[], schema: ListSchema): FieldSet {
  const node: Record<string, FieldSet> = {};
  list.forEach((item, index) => {
    const element = itemElement(item, schema) ?? `i:${index}`;
    node[element] = node[element] === undefined ? wholeNode(item, schema.items) : LEAF;
  });
  return asMember(node);
}
