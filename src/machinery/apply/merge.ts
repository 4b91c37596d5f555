/** Lays an applied configuration over the live object. Source: structured-merge-diff typed/merge.go. */
import { ANY, type ListSchema, type Schema, type StructSchema } from "../schema.ts";
import { itemElement } from "./pathElements.ts";
import { schemaOfField } from "./wholeNode.ts";

type Json = Readonly<Record<string, unknown>>;

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Gives a new object that shares what the configuration does not touch. Nulls stay in it, as values. */
export const mergeObjects = (live: Json, applied: Json, schema: StructSchema): Json =>
  mergeEntries(live, applied, (name) => schemaOfField(schema, name));

function mergeValues(live: unknown, applied: unknown, schema: Schema): unknown {
  if (live === undefined || live === null) return applied;
  switch (schema.kind) {
    case "scalar":
      return applied;
    case "any":
      return !schema.atomic && isJson(live) && isJson(applied) ? mergeEntries(live, applied, () => ANY) : applied;
    case "map":
      return schema.atomic ? applied : mergeMaps(live, applied, () => schema.values);
    case "struct":
      return schema.atomic ? applied : mergeMaps(live, applied, (name) => schemaOfField(schema, name));
    case "list":
      return schema.listType === "atomic" ? applied : mergeLists(live, applied, schema);
    default:
      return schema satisfies never;
  }
}

type SchemaOf = (name: string) => Schema | undefined;

/** A null for a whole struct or map changes nothing in it. */
const mergeMaps = (live: unknown, applied: unknown, schemaOf: SchemaOf): unknown =>
  isJson(live) && isJson(applied) ? mergeEntries(live, applied, schemaOf) : applied === null ? live : applied;

function mergeEntries(live: Json, applied: Json, schemaOf: SchemaOf): Json {
  const result: Record<string, unknown> = { ...live };
  for (const name in applied) {
    const schema = schemaOf(name);
    const value = applied[name];
    if (schema === undefined || value === undefined) continue;
    result[name] = mergeValues(live[name], value, schema);
  }
  return result;
}

interface Item {
  readonly element: string;
  readonly value: unknown;
}

const itemsOf = (list: readonly unknown[], schema: ListSchema): Item[] =>
  list.map((value, index) => ({ element: itemElement(value, schema) ?? `i:${index}`, value }));

/**
 * The configuration's order for what it names; the live order for the rest, which stays between the items between
 * which it was.
 */
function mergeLists(live: unknown, applied: unknown, schema: ListSchema): unknown {
  if (!Array.isArray(live) || !Array.isArray(applied)) return applied === null ? live : applied;
  const left = itemsOf(live, schema);
  const right = itemsOf(applied, schema);
  const liveByElement = new Map(left.map((item) => [item.element, item.value]));
  const named = new Set(right.map((item) => item.element));
  const shared = right.filter((item) => liveByElement.has(item.element)).map((item) => item.element);
  const merged = new Set<string>();
  const result: unknown[] = [];
  let l = 0;
  let r = 0;
  let nextShared = 0;
  const take = ({ element, value }: Item) => {
    merged.add(element);
    result.push(mergeValues(liveByElement.get(element), value, schema.items));
    r += 1;
    if (shared[nextShared] === element) nextShared += 1;
  };
  while (l < left.length || r < right.length) {
    const ours = left[l];
    const theirs = right[r];
    if (ours !== undefined && theirs !== undefined) {
      if (ours.element === theirs.element) {
        take(theirs);
        l += 1;
        continue;
      }
      const expected = shared[nextShared];
      if (named.has(ours.element) && expected !== undefined && expected !== ours.element) {
        l += 1;
        continue;
      }
    }
    if (ours !== undefined) {
      if (!named.has(ours.element)) {
        result.push(ours.value);
        l += 1;
        continue;
      }
      if (merged.has(ours.element)) l += 1;
    }
    if (theirs !== undefined) take(theirs);
  }
  return result;
}
