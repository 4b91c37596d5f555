/**
 * Objects as Go prints its internal types in errors: every field, by its Go name and in Go's order, with `null` for what
 * a pointer, list or map does not hold. `goStructs.json` says how the types are made; it was read from the types of
 * pkg/apis/core and pkg/apis/apps once (v1.36). `...` stands before a type whose fields are the holder's own.
 */
import type { PodSpec } from "./generated/core-v1.ts";
import structs from "./goStructs.json" with { type: "json" };

type Json = Readonly<Record<string, unknown>>;

interface GoField {
  readonly name: string;
  /** As in Go, with `{}T` for a map of text. */
  readonly type: string;
}

const known = new Map<string, readonly GoField[]>();

function fieldsOf(struct: string): readonly GoField[] | undefined {
  const found = known.get(struct);
  const text = (structs as Readonly<Record<string, string>>)[struct];
  if (found !== undefined || text === undefined) return found;
  const fields = text.split(", ").map((field) => {
    const [name = "", type = ""] = field.split(" ");
    return { name, type };
  });
  known.set(struct, fields);
  return fields;
}

const ZEROS: Readonly<Record<string, unknown>> = { string: "", bool: false, quantity: "0", intstr: 0 };

function goValue(type: string, value: unknown): unknown {
  if (type.startsWith("*")) return value === undefined ? null : goValue(type.slice(1), value);
  if (type.startsWith("[]")) return Array.isArray(value) ? value.map((one) => goValue(type.slice(2), one)) : null;
  if (type.startsWith("{}")) return value === undefined ? null : goMap(type.slice(2), value as Json);
  if (fieldsOf(type) !== undefined) return goObject(type, (value ?? {}) as Json);
  return value ?? ZEROS[type] ?? (type === "any" ? null : 0);
}

const goMap = (type: string, map: Json): Json =>
  Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, goValue(type, map[key])]),
  );

/** @param struct name of the internal type, such as "PodSpec" */
export function goObject(struct: string, object: object): Json {
  const byLowerCase = new Map(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value]));
  const shown: Record<string, unknown> = {};
  for (const { name, type } of fieldsOf(struct) ?? []) {
    // What has metadata embeds it, and that is printed as in the API.
    if (name === "..." && type === "any") Object.assign(shown, byLowerCase.get("metadata"));
    else if (name === "...") Object.assign(shown, goObject(type, object));
    else shown[name] = goValue(type, byLowerCase.get(name.toLowerCase()));
  }
  return shown;
}

/** Of a pod's spec, part of which Go keeps in its security context. Source: apis/core/v1/conversion.go. */
export function goPodSpec({ securityContext, ...spec }: PodSpec): Json {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers } = spec;
  const moved = { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  return goObject("PodSpec", {
    ...spec,
    ...(securityContext && { securityContext: { ...moved, ...securityContext } }),
  });
}

const ESCAPED: Readonly<Record<string, string>> = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026" };

/** Source: Go json.MarshalIndent with one blank. */
export const goIndented = (value: unknown): string =>
  JSON.stringify(value, null, 1).replace(/[<>&]/g, (character) => ESCAPED[character] ?? character);
