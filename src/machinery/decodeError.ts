/** How Go's JSON decoder words a value of the wrong type. Source: sigs.k8s.io/json UnmarshalTypeError. */
import { ApiError } from "./errors.ts";
import { shortGoType } from "./goTypes.ts";
import type { Field, Schema } from "./schema.ts";

/** The text after "cannot be handled as a Deployment: "; `decodeObject` puts the rest before it. */
export class DecodeError extends Error {}

/** The kind that an object was to be read as. */
export interface DecodedKind {
  readonly version: string;
  readonly kind: string;
}

/**
 * Its cause is a DecodeError with the reason alone. The version is named without its group.
 * Source: apiserver handlers transformDecodeError.
 */
export const cannotBeHandled = ({ kind, version }: DecodedKind, reason: string): ApiError =>
  new ApiError(
    "BadRequest",
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${reason}`,
    {
      cause: new DecodeError(reason),
    },
  );

/** Times and durations are read as strings, and what is a number or a string is read as a number unless it is quoted. */
const GO_SCALARS: Readonly<Record<string, string>> = {
  double: "float64",
  bytes: "[]uint8",
  time: "string",
  microtime: "string",
  duration: "string",
  quantity: "resource.Quantity",
  intstr: "int32",
};

/** "api.core.v1.PodSpec" is v1.PodSpec in Go. */
const goStruct = (name: string): string => name.split(".").slice(-2).join(".");

export function goType(schema: Schema): string {
  switch (schema.kind) {
    case "scalar":
      return GO_SCALARS[schema.type] ?? (schema.type === "bool" ? "bool" : schema.type);
    case "any":
      return "runtime.RawExtension";
    case "list":
      return `[]${goType(schema.items)}`;
    case "map":
      return `map[string]${goType(schema.values)}`;
    case "struct":
      return goStruct(schema.name);
    default:
      return schema satisfies never;
  }
}

const WHOLE_NUMBERS = new Set(["int32", "int64", "intstr"]);

/** What the value is called: "string", "number 1.5", "array". */
function goValue(value: unknown, schema: Schema): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  const isWhole = schema.kind === "scalar" && WHOLE_NUMBERS.has(schema.type);
  if (typeof value === "number" && isWhole) return `number ${value}`;
  return typeof value;
}

/** Where something was found: names of fields and keys, and indices of lists. */
type Path = readonly (string | number)[];

interface Place {
  /** Dotted, without indices, and with the structs that Go embeds. */
  readonly path: string;
  readonly named: string | undefined;
}

/** Goes down from the whole object, which is only worth it where something is wrong. */
function placeOf(root: Schema, path: Path): Place {
  const names: string[] = [];
  let schema: Schema | undefined = root;
  let named: string | undefined;
  for (const part of path) {
    if (schema?.kind === "struct") {
      const field: Field | undefined = schema.fields.get(`${part}`);
      if (field?.embeddedIn !== undefined && schema.embeds !== undefined) names.push(schema.embeds);
      named = field?.goType;
      schema = field?.schema;
    } else {
      named = named?.replace(/^(\[\]|map\[[^\]]*\])/, "");
      schema = schema?.kind === "list" ? schema.items : schema?.kind === "map" ? schema.values : undefined;
    }
    if (typeof part === "string") names.push(part);
  }
  return {
    path: names.join("."),
    named: schema?.kind === "scalar" || schema?.kind === "list" || schema?.kind === "map" ? named : undefined,
  };
}

/** @param struct the Go struct that holds the field */
export function mismatch(value: unknown, schema: Schema, struct: string, root: Schema, at: Path): DecodeError {
  const { path, named } = placeOf(root, at);
  const field = struct === "" || path === "" ? "value" : `struct field ${goStruct(struct).split(".")[1]}.${path}`;
  const type = named === undefined ? goType(schema) : shortGoType(named);
  return new DecodeError(`json: cannot unmarshal ${goValue(value, schema)} into Go ${field} of type ${type}`);
}
