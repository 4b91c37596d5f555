/** Names of list items within field sets, and how paths are printed. Source: structured-merge-diff fieldpath/element.go. */
import type { ListSchema } from "../schema.ts";

type Json = Readonly<Record<string, unknown>>;

export const fieldElement = (name: string): string => `f:${name}`;

interface ListKey {
  readonly name: string;
  /** `"name":` as it stands in the element. */
  readonly quoted: string;
  readonly default: unknown;
}

const keysOfLists = new WeakMap<ListSchema, readonly ListKey[]>();

/** The keys of a map-like list, sorted, with the values that they take when left out. */
export function listKeys(schema: ListSchema): readonly ListKey[] {
  const known = keysOfLists.get(schema);
  if (known !== undefined) return known;
  const fields = schema.items.kind === "struct" ? schema.items.fields : undefined;
  const keys = [...schema.mapKeys]
    .sort()
    .map((name) => ({ name, quoted: `${JSON.stringify(name)}:`, default: fields?.get(name)?.default }));
  keysOfLists.set(schema, keys);
  return keys;
}

/** `k:{"name":"a"}` or `v:1`; undefined for an item without any key, which upstream refuses. */
export function itemElement(item: unknown, schema: ListSchema): string | undefined {
  if (schema.listType !== "map") return isPrimitive(item) ? `v:${JSON.stringify(item)}` : undefined;
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  let text = "";
  for (const key of listKeys(schema)) {
    const value = (item as Json)[key.name] ?? key.default;
    if (value !== undefined) text += `${text === "" ? "" : ","}${key.quoted}${JSON.stringify(value)}`;
  }
  return text === "" ? undefined : `k:{${text}}`;
}

const isPrimitive = (item: unknown): boolean => item !== null && item !== undefined && typeof item !== "object";

/** Whether two items of a map-like list have the same keys; cheaper than comparing their elements. */
export function sameKeys(a: unknown, b: unknown, schema: ListSchema): boolean {
  for (const key of listKeys(schema)) {
    const left = (a as Json | null)?.[key.name] ?? key.default;
    const right = (b as Json | null)?.[key.name] ?? key.default;
    if (left !== right) return false;
  }
  return true;
}

/** ["f:spec", `k:{"name":"a"}`] is `.spec[name="a"]`. */
export const printPath = (path: readonly string[]): string => path.map(printElement).join("");

export function printElement(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case "f":
      return `.${rest}`;
    case "k": {
      const keys = Object.entries(JSON.parse(rest) as Json);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
    case "v":
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}
