/** From protobuf bytes to the JSON form of an object, by its schema. Fields that the schema does not know are skipped. */
import type { ScalarType, Schema, StructSchema } from "../schema.ts";
import { readFields, readPacked, WIRE, type WireField } from "./wire.ts";

type Json = unknown;
type Mutable = Record<string, Json>;

/** Fields of one message by number; `embedded` are messages whose fields belong to the same JSON object. */
interface Numbered {
  readonly fields: Map<number, { readonly name: string; readonly schema: Schema }>;
  readonly embedded: Map<number, Numbered>;
}

const known = new WeakMap<StructSchema, Numbered>();

function numbered(struct: StructSchema): Numbered {
  const found = known.get(struct);
  if (found !== undefined) return found;
  const made: Numbered = { fields: new Map(), embedded: new Map() };
  for (const { name, schema, number, embeddedIn } of struct.fields.values()) {
    if (number === undefined) continue;
    let place = made;
    if (embeddedIn !== undefined) {
      place = made.embedded.get(embeddedIn) ?? { fields: new Map(), embedded: new Map() };
      made.embedded.set(embeddedIn, place);
    }
    place.fields.set(number, { name, schema });
  }
  known.set(struct, made);
  return made;
}

/** @throws Error when the bytes are not such a message */
export function decodeMessage(bytes: Uint8Array, struct: StructSchema): Mutable {
  const object: Mutable = {};
  addFields(object, bytes, numbered(struct));
  return object;
}

function addFields(object: Mutable, bytes: Uint8Array, { fields, embedded }: Numbered): void {
  for (const wire of readFields(bytes)) {
    const field = fields.get(wire.number);
    const inner = embedded.get(wire.number);
    if (field !== undefined) addField(object, field.name, field.schema, wire);
    else if (inner !== undefined) addFields(object, wire.bytes, inner);
  }
}

function addField(object: Mutable, name: string, schema: Schema, wire: WireField): void {
  if (schema.kind === "list") {
    const list = (object[name] as Json[] | undefined) ?? [];
    object[name] = list;
    const isPacked = wire.type === WIRE.bytes && schema.items.kind === "scalar" && VARINTS.has(schema.items.type);
    if (isPacked) list.push(...readPacked(wire.bytes).map((integer) => decodeVarint(schema.items, integer)));
    else list.push(decodeValue(schema.items, wire));
  } else if (schema.kind === "map") {
    const map = (object[name] as Mutable | undefined) ?? {};
    object[name] = map;
    const [key, value] = decodeEntry(schema.values, wire.bytes);
    map[key] = value;
  } else {
    object[name] = decodeValue(schema, wire);
  }
}

/** A map is a list of messages with a key (1) and a value (2); an empty value is left out. */
function decodeEntry(values: Schema, bytes: Uint8Array): [string, Json] {
  let key = "";
  let value: Json;
  for (const wire of readFields(bytes)) {
    if (wire.number === 1) key = Buffer.from(wire.bytes).toString("utf8");
    else if (wire.number === 2)
      value = values.kind === "list" ? decodeItems(values.items, wire.bytes) : decodeValue(values, wire);
  }
  return [key, value ?? emptyOf(values)];
}

/** Lists within maps are messages of their own with the items as field 1 (ExtraValue and its kin). */
const decodeItems = (items: Schema, bytes: Uint8Array): Json[] =>
  [...readFields(bytes)].map((wire) => decodeValue(items, wire));

const emptyOf = (schema: Schema): Json => {
  if (schema.kind === "struct" || schema.kind === "map" || schema.kind === "any") return {};
  if (schema.kind === "list") return [];
  return VARINTS.has(schema.type) ? decodeVarint(schema, 0n) : schema.type === "quantity" ? "0" : "";
};

const VARINTS = new Set<ScalarType>(["int32", "int64", "bool"]);

function decodeVarint(schema: Schema, integer: bigint): Json {
  return schema.kind === "scalar" && schema.type === "bool" ? integer !== 0n : Number(integer);
}

function decodeValue(schema: Schema, wire: WireField): Json {
  switch (schema.kind) {
    case "struct":
      return decodeMessage(wire.bytes, schema);
    case "any":
      return decodeRaw(wire.bytes);
    case "list":
      return decodeItems(schema.items, wire.bytes);
    case "map":
      throw new Error("proto: a map within a map");
    case "scalar":
      return decodeScalar(schema.type, wire);
    default:
      return schema satisfies never;
  }
}

/** RawExtension, FieldsV1 and JSON hold JSON text as field 1. */
function decodeRaw(bytes: Uint8Array): Json {
  for (const wire of readFields(bytes))
    if (wire.number === 1) return JSON.parse(Buffer.from(wire.bytes).toString("utf8"));
  return undefined;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

function decodeScalar(type: ScalarType, wire: WireField): Json {
  switch (type) {
    case "string":
      return text(wire.bytes);
    case "int32":
    case "int64":
      return Number(wire.integer);
    case "bool":
      return wire.integer !== 0n;
    case "double":
      return Buffer.from(wire.bytes).readDoubleLE();
    case "bytes":
      return Buffer.from(wire.bytes).toString("base64");
    case "quantity":
      return text([...readFields(wire.bytes)].find(({ number }) => number === 1)?.bytes ?? Buffer.from("0"));
    case "time":
      return decodeTime(wire.bytes, 0);
    case "microtime":
      return decodeTime(wire.bytes, 6);
    case "duration":
      return `${Number([...readFields(wire.bytes)].find(({ number }) => number === 1)?.integer ?? 0n) / 1e9}s`;
    case "intstr":
      return decodeIntOrString(wire.bytes);
    default:
      return type satisfies never;
  }
}

/** seconds (1) and nanoseconds (2); an empty message is no time at all. */
function decodeTime(bytes: Uint8Array, digits: 0 | 6): string | null {
  let seconds: bigint | undefined;
  let nanos = 0n;
  for (const { number, integer } of readFields(bytes)) {
    if (number === 1) seconds = integer;
    else if (number === 2) nanos = integer;
  }
  if (seconds === undefined) return null;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return digits === 0 ? `${whole}Z` : `${whole}.${`${nanos / 1000n}`.padStart(6, "0")}Z`;
}

/** type (1): 0 for a number (2), 1 for text (3). */
function decodeIntOrString(bytes: Uint8Array): string | number {
  let isText = false;
  let integer = 0;
  let string = "";
  for (const wire of readFields(bytes)) {
    if (wire.number === 1) isText = wire.integer === 1n;
    else if (wire.number === 2) integer = Number(wire.integer);
    else if (wire.number === 3) string = text(wire.bytes);
  }
  return isText ? string : integer;
}
