/** The shapes of schemas: what is known of a value of an API type. */

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
  /** What Go calls its type, with the package's path, where it has a name: "api/core/v1.ServiceType". */
  readonly goType?: string | undefined;
  /** JSON value that map keys take when left out (a port's `protocol` is TCP). */
  readonly default: unknown;
  /** Protobuf number; undefined for apiVersion and kind. */
  readonly number: number | undefined;
  /** Number of the message within this type's that the field stands in, for what Go embeds and JSON inlines. */
  readonly embeddedIn: number | undefined;
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
  /** Name of the struct that Go embeds, which holds the fields that have an `embeddedIn`. */
  readonly embeds?: string | undefined;
  /** The fields to be filled in where they are left out. */
  readonly always: readonly Field[];
  /** Custom resources may keep what the schema does not name (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserveUnknown: boolean;
}

export type Schema = ScalarSchema | AnySchema | ListSchema | MapSchema | StructSchema;

export const ANY: AnySchema = { kind: "any", atomic: false };
