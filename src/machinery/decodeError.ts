/** How Go's JSON decoder words a value of the wrong type. Source: sigs.k8s.io/json UnmarshalTypeError. */
import { ApiError } from "./errors.ts";
import type { Schema } from "./schema.ts";

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

const GO_SCALARS: Readonly<Record<string, string>> = {
  double: "float64",
  bytes: "[]uint8",
  time: "v1.Time",
  microtime: "v1.MicroTime",
  duration: "v1.Duration",
  quantity: "resource.Quantity",
  intstr: "intstr.IntOrString",
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

/** What the value is called: "string", "number 1.5", "array". */
function goValue(value: unknown, schema: Schema): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  const isWhole = schema.kind === "scalar" && (schema.type === "int32" || schema.type === "int64");
  if (typeof value === "number" && isWhole) return `number ${value}`;
  return typeof value;
}

/** `path` is dotted and without indices; `struct` is the Go struct that holds the field. */
export function mismatch(value: unknown, schema: Schema, struct: string, path: string): DecodeError {
  const field = struct === "" || path === "" ? "value" : `struct field ${goStruct(struct).split(".")[1]}.${path}`;
  return new DecodeError(`json: cannot unmarshal ${goValue(value, schema)} into Go ${field} of type ${goType(schema)}`);
}
