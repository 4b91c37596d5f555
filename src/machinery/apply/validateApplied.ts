/** Checks a configuration against its schema before it is applied. Source: structured-merge-diff typed/validate.go. */
import type { ListSchema, ScalarSchema, Schema, StructSchema } from "../schema.ts";
import { itemElement, printElement } from "./pathElements.ts";
import { schemaOfField } from "./wholeNode.ts";

type Json = Readonly<Record<string, unknown>>;

/** ".spec.foo: field not declared in schema", one text per mistake. */
export function appliedErrors(object: Json, schema: StructSchema): string[] {
  const errors: string[] = [];
  checkStruct(object, schema, { path: "", errors });
  return errors;
}

interface At {
  readonly path: string;
  readonly errors: string[];
}

const fail = ({ path, errors }: At, reason: string): void => {
  errors.push(path === "" ? reason : `${path}: ${reason}`);
};
const below = ({ path, errors }: At, element: string): At => ({ path: path + element, errors });

function check(value: unknown, schema: Schema, at: At): void {
  if (value === null || value === undefined) return;
  switch (schema.kind) {
    case "any":
      return;
    case "scalar":
      checkScalar(value, schema, at);
      return;
    case "list":
      if (Array.isArray(value)) checkList(value, schema, at);
      else fail(at, `expected list, got ${described(value)}`);
      return;
    case "map":
    case "struct":
      if (typeof value !== "object" || Array.isArray(value)) fail(at, `expected map, got ${described(value)}`);
      else if (schema.kind === "struct") checkStruct(value as Json, schema, at);
      else for (const key in value) check((value as Json)[key], schema.values, below(at, `.${key}`));
      return;
    default:
      schema satisfies never;
  }
}

const described = (value: unknown): string => `&{${JSON.stringify(value)}}`;

function checkStruct(value: Json, schema: StructSchema, at: At): void {
  for (const name in value) {
    const field = schemaOfField(schema, name);
    if (field === undefined) fail(below(at, `.${name}`), "field not declared in schema");
    else check(value[name], field, below(at, `.${name}`));
  }
}

function checkList(list: readonly unknown[], schema: ListSchema, at: At): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (schema.listType === "atomic") {
      check(item, schema.items, below(at, `[${index}]`));
      continue;
    }
    const element = itemElement(item, schema);
    if (element === undefined) {
      fail(at, `element ${index}: ${noElement(item, schema)}`);
      continue;
    }
    if (seen.has(element)) fail(at, `duplicate entries for key ${printElement(element)}`);
    seen.add(element);
    check(item, schema.items, below(at, printElement(element)));
  }
}

function noElement(item: unknown, { listType, mapKeys }: ListSchema): string {
  const isMap = typeof item === "object" && item !== null && !Array.isArray(item);
  if (listType === "map") {
    if (item === null) return "associative list with keys may not have a null element";
    if (!isMap) return "associative list with keys may not have non-map elements";
    const keys = mapKeys.map((key) => JSON.stringify(key)).join(" ");
    return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
  }
  if (item === null) return "associative list without keys has an element that's an explicit null";
  if (isMap) return "associative list without keys has an element that's a map type";
  return "not supported: associative list with lists as elements";
}

const NUMERIC = new Set(["int32", "int64", "double"]);

/** Quantities and ports may be numbers or strings. */
function checkScalar(value: unknown, { type }: ScalarSchema, at: At): void {
  if (NUMERIC.has(type)) {
    if (typeof value !== "number") fail(at, `expected numeric (int or float), got ${goTypeOf(value)}`);
  } else if (type === "bool") {
    if (typeof value !== "boolean") fail(at, `expected boolean, got ${described(value)}`);
  } else if (type === "quantity" || type === "intstr") {
    if (typeof value === "object") fail(at, `expected any scalar, got ${described(value)}`);
  } else if (typeof value !== "string") fail(at, `expected string, got ${described(value)}`);
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : typeof value;
}
