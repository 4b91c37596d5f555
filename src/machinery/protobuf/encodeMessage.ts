/** From the JSON form of an object to protobuf bytes, by its schema. Fields without a number are left out. */
import type { ScalarType, Schema, StructSchema } from "../schema.ts";
import { bytesField, doubleField, varintField } from "./wire.ts";

type Chunks = Uint8Array[];

export const encodeMessage = (object: object, struct: StructSchema): Uint8Array =>
  Buffer.concat(messageChunks(object, struct));

function messageChunks(object: object, struct: StructSchema): Chunks {
  const chunks: Chunks = [];
  const embedded = new Map<number, Chunks>();
  for (const { name, schema, number, embeddedIn } of struct.fields.values()) {
    const value = (object as Record<string, unknown>)[name];
    if (number === undefined || value === undefined || value === null) continue;
    const field = fieldChunks(number, schema, value);
    if (embeddedIn === undefined) chunks.push(...field);
    else embedded.set(embeddedIn, [...(embedded.get(embeddedIn) ?? []), ...field]);
  }
  for (const [number, fields] of embedded) chunks.push(...bytesField(number, Buffer.concat(fields)));
  return chunks;
}

function fieldChunks(number: number, schema: Schema, value: unknown): Chunks {
  if (schema.kind === "list") return (value as unknown[]).flatMap((item) => valueChunks(number, schema.items, item));
  if (schema.kind !== "map") return valueChunks(number, schema, value);
  return Object.entries(value as object).flatMap(([key, one]) =>
    bytesField(number, Buffer.concat([...bytesField(1, Buffer.from(key)), ...mapValueChunks(schema.values, one)])),
  );
}

const mapValueChunks = (schema: Schema, value: unknown): Chunks =>
  schema.kind === "list" ? bytesField(2, Buffer.concat(fieldChunks(1, schema, value))) : valueChunks(2, schema, value);

function valueChunks(number: number, schema: Schema, value: unknown): Chunks {
  switch (schema.kind) {
    case "struct":
      return bytesField(number, Buffer.concat(messageChunks(value as object, schema)));
    case "any":
      return bytesField(number, Buffer.concat(bytesField(1, Buffer.from(JSON.stringify(value)))));
    case "scalar":
      return scalarChunks(number, schema.type, value);
    default:
      throw new Error(`proto: a ${schema.kind} cannot stand here`);
  }
}

function scalarChunks(number: number, type: ScalarType, value: unknown): Chunks {
  switch (type) {
    case "string":
      return bytesField(number, Buffer.from(String(value)));
    case "int32":
    case "int64":
      return varintField(number, BigInt(value as number));
    case "bool":
      return varintField(number, value === true ? 1n : 0n);
    case "double":
      return doubleField(number, value as number);
    case "bytes":
      return bytesField(number, Buffer.from(String(value), "base64"));
    case "quantity":
      return bytesField(number, Buffer.concat(bytesField(1, Buffer.from(String(value)))));
    case "time":
    case "microtime":
      return bytesField(number, timeMessage(String(value)));
    case "duration":
      return bytesField(
        number,
        Buffer.concat(varintField(1, BigInt(Math.round(Number.parseFloat(String(value)) * 1e9)))),
      );
    case "intstr":
      return bytesField(number, Buffer.concat(intOrString(value as string | number)));
    default:
      return type satisfies never;
  }
}

function timeMessage(timestamp: string): Uint8Array {
  const ms = Date.parse(timestamp);
  const fraction = /\.(\d+)/.exec(timestamp)?.[1] ?? "";
  const nanos = BigInt(fraction.padEnd(9, "0").slice(0, 9));
  return Buffer.concat([...varintField(1, BigInt(Math.floor(ms / 1000))), ...varintField(2, nanos)]);
}

const intOrString = (value: string | number): Chunks =>
  typeof value === "number"
    ? [...varintField(1, 0n), ...varintField(2, BigInt(value)), ...bytesField(3, Buffer.alloc(0))]
    : [...varintField(1, 1n), ...varintField(2, 0n), ...bytesField(3, Buffer.from(value))];
