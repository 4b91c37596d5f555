/**
 * Reads a JSON value that a client sent as an object of a kind, in one pass: checks types, drops what the schema does
 * not know (and says so), writes quantities and times canonically, leaves out nulls and what Go omits when empty, and
 * fills in what Go always writes (a container's `resources: {}`). The result shares nothing with the input.
 */
import { cannotBeHandled, type DecodedKind, DecodeError, mismatch } from "./decodeError.ts";
import { decodeScalar, MISMATCH, zeroScalar } from "./decodeScalar.ts";
import type { KubeObject } from "./object.ts";
import type { Field, ListSchema, MapSchema, Schema, StructSchema } from "./schema.ts";

export { type DecodedKind, DecodeError } from "./decodeError.ts";
export { duplicateKeys } from "./duplicateKeys.ts";
export { checkFieldValidation, type FieldValidation, parseFieldValidation } from "./fieldValidation.ts";

export interface Decoded<T = KubeObject> {
  readonly object: T;
  /** `unknown field "spec.foo"`, in the order of the document: errors or warnings, as fieldValidation has it. */
  readonly unknownFields: readonly string[];
}

export interface DecodeOptions {
  readonly schema: StructSchema;
  /** Of the object, for the text of errors. */
  readonly kind: DecodedKind;
}

type Json = Readonly<Record<string, unknown>>;

/** State of one pass: where it is, and what it found. */
interface Pass {
  readonly root: Schema;
  readonly path: (string | number)[];
  readonly unknownFields: string[];
  struct: string;
}

/** Throws a BadRequest ApiError, worded as upstream, for a value of the wrong type. */
export function decodeObject<T = KubeObject>(value: unknown, { schema, kind }: DecodeOptions): Decoded<T> {
  const pass: Pass = { root: schema, path: [], unknownFields: [], struct: "" };
  try {
    return { object: decodeStruct(value, schema, pass) as T, unknownFields: pass.unknownFields };
  } catch (error) {
    if (error instanceof DecodeError) throw cannotBeHandled(kind, error.message);
    throw error;
  }
}

/** As `decodeObject` for a part of an object; throws DecodeError. */
export function decodeValue(value: unknown, schema: Schema): unknown {
  return decodeAny(value, schema, { root: schema, path: [], unknownFields: [], struct: "" });
}

function decodeAny(value: unknown, schema: Schema, pass: Pass): unknown {
  switch (schema.kind) {
    case "scalar": {
      const decoded = decodeScalar(schema.type, value);
      return decoded === MISMATCH ? fail(value, schema, pass) : decoded;
    }
    case "struct":
      return decodeStruct(value, schema, pass);
    case "list":
      return decodeList(value, schema, pass);
    case "map":
      return decodeMap(value, schema, pass);
    case "any":
      return copied(value);
    default:
      return schema satisfies never;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fail(value: unknown, schema: Schema, { root, path, struct }: Pass): never {
  throw mismatch(value, schema, struct, root, path);
}

function decodeStruct(value: unknown, schema: StructSchema, pass: Pass): Json {
  if (!isObject(value)) fail(value, schema, pass);
  const outer = pass.struct;
  const result: Record<string, unknown> = {};
  const { fields } = schema;
  for (const key in value) {
    const child = value[key];
    const field = fields.get(key);
    if (field === undefined) {
      if (schema.preserveUnknown) result[key] = copied(child);
      else pass.unknownFields.push(`unknown field ${JSON.stringify(pathText([...pass.path, key]))}`);
      continue;
    }
    if (child === null || child === undefined) continue;
    pass.struct = schema.name;
    pass.path.push(key);
    const decoded = decodeAny(child, field.schema, pass);
    pass.path.pop();
    if (!(field.omitsEmpty && isEmpty(decoded, field))) result[key] = decoded;
  }
  pass.struct = outer;
  fillAlways(result, schema);
  return result;
}

/** Only for fields that Go leaves out when empty. */
function isEmpty(decoded: unknown, { schema }: Field): boolean {
  if (schema.kind === "list") return (decoded as unknown[]).length === 0;
  if (schema.kind !== "map") return decoded === "" || decoded === 0 || decoded === false;
  for (const _ in decoded as Json) return false;
  return true;
}

function fillAlways(result: Record<string, unknown>, schema: StructSchema): void {
  for (const field of schema.always) {
    if (result[field.name] === undefined) result[field.name] = zeroOf(field.schema);
  }
}

const zeroObjects = new WeakMap<StructSchema, Json>();

/** An object of the kind with nothing in it, as Go writes it; what a created object is compared with. Shared. */
export function emptyObject(schema: StructSchema): Json {
  const known = zeroObjects.get(schema);
  if (known !== undefined) return known;
  const empty = zeroOf(schema) as Json;
  zeroObjects.set(schema, empty);
  return empty;
}

/** Go's zero value as it is written. */
function zeroOf(schema: Schema): unknown {
  if (schema.kind === "scalar") return zeroScalar(schema.type);
  if (schema.kind !== "struct") return undefined;
  const result: Record<string, unknown> = {};
  fillAlways(result, schema);
  return result;
}

function decodeList(value: unknown, schema: ListSchema, pass: Pass): unknown[] {
  if (!Array.isArray(value)) fail(value, schema, pass);
  const { items } = schema;
  const result = new Array<unknown>(value.length);
  for (let index = 0; index < value.length; index += 1) {
    const item = value[index];
    pass.path.push(index);
    result[index] = item === null ? (zeroOf(items) ?? null) : decodeAny(item, items, pass);
    pass.path.pop();
  }
  return result;
}

function decodeMap(value: unknown, schema: MapSchema, pass: Pass): Json {
  if (!isObject(value)) fail(value, schema, pass);
  const { values } = schema;
  const result: Record<string, unknown> = {};
  for (const key in value) {
    const child = value[key];
    if (child === undefined) continue;
    const scalar = values.kind === "scalar" && child !== null ? decodeScalar(values.type, child) : MISMATCH;
    if (scalar !== MISMATCH) setOwn(result, key, scalar);
    else if (child === null) setOwn(result, key, zeroOf(values) ?? null);
    else
      setOwn(result, key, values.kind === "scalar" ? fail(child, values, pass) : decodeEntry(key, child, values, pass));
  }
  return result;
}

function decodeEntry(key: string, value: unknown, values: Schema, pass: Pass): unknown {
  pass.path.push(key);
  const decoded = decodeAny(value, values, pass);
  pass.path.pop();
  return decoded;
}

/** A map may hold a key "__proto__", which must not be assigned. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A deep copy of plain JSON. */
function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const result: Record<string, unknown> = {};
  for (const key in value) setOwn(result, key, copied((value as Json)[key]));
  return result;
}

/** ["spec", "containers", 0, "name"] is "spec.containers[0].name". */
export function pathText(path: readonly (string | number)[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}
