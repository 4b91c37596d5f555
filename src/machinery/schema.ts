/**
 * What is known of each API type: its fields, how its lists and maps merge, which fields are always written, and its
 * protobuf numbers. Made lazily from a table (format: scripts/make-table.ts); one schema object per named type, so
 * recursive types are cycles of the same objects.
 */
import { goTypesOf } from "./goTypes.ts";
import type { GroupVersionKind } from "./object.ts";
import type {
  AnySchema,
  Field,
  ListSchema,
  PatchStrategy,
  ScalarSchema,
  ScalarType,
  Schema,
  StructSchema,
} from "./schemaTypes.ts";

export {
  ANY,
  type AnySchema,
  type Field,
  type ListSchema,
  type MapSchema,
  type PatchStrategy,
  type ScalarSchema,
  type ScalarType,
  type Schema,
  type StructSchema,
} from "./schemaTypes.ts";

/** The part of `src/api/table.json` that is read here. */
export interface TypeTable {
  readonly types: Readonly<Record<string, TypeTableEntry>>;
  /** Per type, the names of the fields that are written even when empty, blank-separated. */
  readonly always?: Readonly<Record<string, string>>;
  /** Per type, the scalar fields for which zero and absent differ, blank-separated. */
  readonly pointers?: Readonly<Record<string, string>>;
  /** Per type, what Go calls the types of fields; see goTypes.ts. */
  readonly goTypes?: Readonly<Record<string, string>>;
  /** Per type, the struct that Go embeds. */
  readonly embeds?: Readonly<Record<string, string>>;
}

export interface TypeTableEntry {
  readonly fields: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  readonly atomic?: boolean;
  /** "group/version/kind"; several for the option types that every group shares. */
  readonly kinds?: readonly string[];
}

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

/** A raw extension of a built-in kind belongs to one manager as a whole. Source: structured-merge-diff `__untyped_atomic_`. */
const RAW: AnySchema = { kind: "any", atomic: true };

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
    const goTypes = goTypesOf(name, table.goTypes?.[name]);
    const embeds = table.embeds?.[name];
    const written = { always: words(table.always), pointers: words(table.pointers), goTypes, embeds };
    const struct = lazyStruct(name, entry, written, schemaOf);
    known.set(name, struct);
    return struct;
  };

  const schemaOf = (text: string, flags: Flags): Schema => {
    if (text.startsWith("[]")) return listOf(schemaOf(text.slice(2), NO_FLAGS), flags);
    if (text.startsWith("{}")) {
      return { kind: "map", values: schemaOf(text.slice(2), NO_FLAGS), atomic: flags.atomicMap };
    }
    if (text === "any") return RAW;
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
  readonly goTypes: ReadonlyMap<string, string>;
  readonly embeds: string | undefined;
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
          goType: written.goTypes.get(field),
          default: flags.byDefault,
          ...protobufPlace(number),
          patchStrategy: flags.strategy,
          always: written.always.has(field),
          omitsEmpty: omitsEmpty(schema, field, written, entry.required?.includes(field) === true),
        };
        return [field, made];
      }),
    );
  const { required = [], atomic = false } = entry;
  return structOf({ name, required, atomic, embeds: written.embeds, makeFields });
}

/** "3", "1.2" (field 2 of the message in field 1) or "-". */
function protobufPlace(text = "-"): Pick<Field, "number" | "embeddedIn"> {
  const [outer, inner] = text.split(".");
  if (text === "-") return { number: undefined, embeddedIn: undefined };
  return inner === undefined
    ? { number: Number(outer), embeddedIn: undefined }
    : { number: Number(inner), embeddedIn: Number(outer) };
}

interface StructInput {
  readonly name: string;
  readonly required: readonly string[];
  readonly atomic: boolean;
  readonly embeds?: string | undefined;
  readonly makeFields: () => ReadonlyMap<string, Field>;
  readonly preserveUnknown?: boolean;
}

/** A struct whose fields are made on first use and kept. Also for schemas made of a CustomResourceDefinition. */
export function structOf(input: StructInput): StructSchema {
  const { name, required, atomic, embeds, makeFields, preserveUnknown = false } = input;
  let always: readonly Field[] | undefined;
  const struct: StructSchema = {
    kind: "struct",
    name,
    required,
    atomic,
    embeds,
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
    embeds: struct.embeds,
    makeFields: () => struct.fields,
    preserveUnknown: struct.preserveUnknown,
  });
