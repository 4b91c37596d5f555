/**
 * What is known of each API type: its fields, how its lists and maps merge, which fields are always written, and its
 * protobuf numbers. Made lazily from a table (format: scripts/make-table.ts); one schema object per named type, so
 * recursive types are cycles of the same objects.
 */
import type { GroupVersionKind } from "./object.ts";

/** The part of `src/api/table.json` that is read here. */
export interface TypeTable {
  readonly types: Readonly<Record<string, TypeTableEntry>>;
  /** Per type, the names of the fields that are written even when empty, blank-separated. */
  readonly always?: Readonly<Record<string, string>>;
  /** Per type, the scalar fields for which zero and absent differ, blank-separated. */
  readonly pointers?: Readonly<Record<string, string>>;
}

export interface TypeTableEntry {
  readonly fields: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  readonly atomic?: boolean;
  /** "group/version/kind"; several for the option types that every group shares. */
  readonly kinds?: readonly string[];
}

export type ScalarType =
  | "string"
  | "int32"
  | "int64"
  | "double"
  | "bool"
  | "time"
  | "microtime"
  | "duration"
  | "bytes"
  | "quantity"
  | "intstr";

export interface ScalarSchema {
  readonly kind: "scalar";
  readonly type: ScalarType;
}

/** Anything: raw extensions, JSON, FieldsV1. Merged as one value unless its content is an object (then as a map). */
export interface AnySchema {
  readonly kind: "any";
  /** Objects in it are kept whole by apply; otherwise they are merged key by key. */
  readonly atomic: boolean;
}

export interface ListSchema {
  readonly kind: "list";
  readonly items: Schema;
  /** How server-side apply merges it. Without a mark upstream a list is atomic. */
  readonly listType: "atomic" | "set" | "map";
  readonly mapKeys: readonly string[];
  /** What strategic merge patches go by. */
  readonly patchMergeKey: string | undefined;
  readonly patchStrategy: readonly PatchStrategy[];
}

export type PatchStrategy = "merge" | "replace" | "retainKeys";

export interface MapSchema {
  readonly kind: "map";
  readonly values: Schema;
  readonly atomic: boolean;
}

export interface Field {
  readonly name: string;
  readonly schema: Schema;
  /** JSON value that map keys take when left out (a port's `protocol` is TCP). */
  readonly default: unknown;
  /** Protobuf number; undefined for apiVersion, kind and inlined fields. */
  readonly number: number | undefined;
  readonly patchStrategy: readonly PatchStrategy[];
  /** Written even when empty. */
  readonly always: boolean;
  /** Left out when empty: "", 0, false, [] and {} are the same as nothing. */
  readonly omitsEmpty: boolean;
}

export interface StructSchema {
  readonly kind: "struct";
  /** "api.core.v1.Pod" */
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
  readonly required: readonly string[];
  readonly atomic: boolean;
  /** The fields to be filled in where they are left out. */
  readonly always: readonly Field[];
  /** Custom resources may keep what the schema does not name (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserveUnknown: boolean;
}

export type Schema = ScalarSchema | AnySchema | ListSchema | MapSchema | StructSchema;

export interface Schemas {
  /** Throws on an unknown name: that is a bug. */
  readonly type: (name: string) => StructSchema;
  readonly hasType: (name: string) => boolean;
  /** Undefined for kinds that the table does not have; the shared option types (DeleteOptions, …) are not kinds. */
  readonly kind: (gvk: GroupVersionKind) => StructSchema | undefined;
  readonly typeNames: () => readonly string[];
}

/** A type of more kinds than this is an option type that every group shares (DeleteOptions, WatchEvent). */
const KINDS_OF_ONE_TYPE_MAX = 2;

const SCALARS = new Map<string, ScalarSchema>(
  (
    [
      "string",
      "int32",
      "int64",
      "double",
      "bool",
      "time",
      "microtime",
      "duration",
      "bytes",
      "quantity",
      "intstr",
    ] as const
  ).map((type) => [type, { kind: "scalar", type }]),
);

export const ANY: AnySchema = { kind: "any", atomic: false };

interface Flags {
  list: string | undefined;
  atomicMap: boolean;
  mergeKey: string | undefined;
  strategy: readonly PatchStrategy[];
  byDefault: unknown;
}

function parseFlags(words: readonly string[]): Flags {
  const flags: Flags = { list: undefined, atomicMap: false, mergeKey: undefined, strategy: [], byDefault: undefined };
  for (const word of words) {
    const value = word.slice(word.indexOf("=") + 1);
    if (word.startsWith("list=")) flags.list = value;
    else if (word === "map=atomic") flags.atomicMap = true;
    else if (word.startsWith("merge=")) flags.mergeKey = value;
    else if (word.startsWith("strategy=")) flags.strategy = value.split(",") as PatchStrategy[];
    else if (word.startsWith("default=")) flags.byDefault = JSON.parse(value);
  }
  return flags;
}

const NO_FLAGS = parseFlags([]);

export function buildSchemas(table: TypeTable): Schemas {
  const known = new Map<string, StructSchema>();
  const kinds = indexKinds(table);

  const type = (name: string): StructSchema => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const entry = table.types[name];
    if (entry === undefined) throw new Error(`no type ${name} in the table`);
    const words = (list: Readonly<Record<string, string>> | undefined) => new Set(list?.[name]?.split(" "));
    const written = { always: words(table.always), pointers: words(table.pointers) };
    const struct = lazyStruct(name, entry, written, schemaOf);
    known.set(name, struct);
    return struct;
  };

  const schemaOf = (text: string, flags: Flags): Schema => {
    if (text.startsWith("[]")) return listOf(schemaOf(text.slice(2), NO_FLAGS), flags);
    if (text.startsWith("{}")) {
      return { kind: "map", values: schemaOf(text.slice(2), NO_FLAGS), atomic: flags.atomicMap };
    }
    if (text === "any") return ANY;
    const scalar = SCALARS.get(text);
    if (scalar !== undefined) return scalar;
    const struct = type(text);
    return flags.atomicMap && !struct.atomic ? atomicCopy(struct) : struct;
  };

  return {
    type,
    hasType: (name) => Object.hasOwn(table.types, name),
    kind: ({ group, version, kind }) => {
      const name = kinds.get(`${group}/${version}/${kind}`);
      return name === undefined ? undefined : type(name);
    },
    typeNames: () => Object.keys(table.types),
  };
}

function indexKinds({ types }: TypeTable): Map<string, string> {
  const index = new Map<string, string>();
  for (const [name, { kinds = [] }] of Object.entries(types)) {
    if (kinds.length > KINDS_OF_ONE_TYPE_MAX) continue;
    for (const kind of kinds) index.set(kind, name);
  }
  return index;
}

function listOf(items: Schema, { list, mergeKey, strategy }: Flags): ListSchema {
  const listType = list === "set" ? "set" : list?.startsWith("map:") ? "map" : "atomic";
  const mapKeys = listType === "map" ? (list?.slice("map:".length).split(",") ?? []) : [];
  return { kind: "list", items, listType, mapKeys, patchMergeKey: mergeKey, patchStrategy: strategy };
}

/** How Go writes a type's fields. */
interface Written {
  readonly always: ReadonlySet<string>;
  readonly pointers: ReadonlySet<string>;
}

/** Scalars that are structs in Go, for which `omitempty` has no meaning. */
const NEVER_EMPTY = new Set<ScalarType>(["quantity", "intstr", "time", "microtime", "duration"]);

function omitsEmpty(schema: Schema, field: string, { always, pointers }: Written, required: boolean): boolean {
  if (schema.kind === "list" || schema.kind === "map") return !required;
  return schema.kind === "scalar" && !NEVER_EMPTY.has(schema.type) && !always.has(field) && !pointers.has(field);
}

/** One named type; its fields are made when they are first asked for, which is what lets types be recursive. */
function lazyStruct(
  name: string,
  entry: TypeTableEntry,
  written: Written,
  schemaOf: (text: string, flags: Flags) => Schema,
): StructSchema {
  const makeFields = () =>
    new Map(
      Object.entries(entry.fields).map(([field, text]): [string, Field] => {
        const [number, type = "any", ...words] = text.split(" ");
        const flags = parseFlags(words);
        const schema = schemaOf(type, flags);
        const made: Field = {
          name: field,
          schema,
          default: flags.byDefault,
          number: number === "-" ? undefined : Number(number),
          patchStrategy: flags.strategy,
          always: written.always.has(field),
          omitsEmpty: omitsEmpty(schema, field, written, entry.required?.includes(field) === true),
        };
        return [field, made];
      }),
    );
  return structOf({ name, required: entry.required ?? [], atomic: entry.atomic === true, makeFields });
}

interface StructInput {
  readonly name: string;
  readonly required: readonly string[];
  readonly atomic: boolean;
  readonly makeFields: () => ReadonlyMap<string, Field>;
  readonly preserveUnknown?: boolean;
}

/** A struct whose fields are made on first use and kept. Also for schemas made of a CustomResourceDefinition. */
export function structOf({ name, required, atomic, makeFields, preserveUnknown = false }: StructInput): StructSchema {
  let always: readonly Field[] | undefined;
  const struct: StructSchema = {
    kind: "struct",
    name,
    required,
    atomic,
    preserveUnknown,
    get fields() {
      const fields = makeFields();
      Object.defineProperty(struct, "fields", { value: fields, enumerable: true });
      return fields;
    },
    get always() {
      always ??= [...struct.fields.values()].filter((field) => field.always);
      Object.defineProperty(struct, "always", { value: always, enumerable: true });
      return always;
    },
  };
  return struct;
}

const atomicCopy = (struct: StructSchema): StructSchema =>
  structOf({
    name: struct.name,
    required: struct.required,
    atomic: true,
    makeFields: () => struct.fields,
    preserveUnknown: struct.preserveUnknown,
  });
