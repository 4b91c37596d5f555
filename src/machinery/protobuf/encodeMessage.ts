/** From the JSON form of an object to protobuf bytes, by its schema. Fields without a number are left out. */
import type { Field, ScalarType, Schema, StructSchema } from "../schema.ts";
import { MessageWriter } from "./messageWriter.ts";

/** One for all, for encoding never waits. */
const shared = new MessageWriter();

export function encodeMessage(object: object, struct: StructSchema): Uint8Array {
  writeMessage(shared, object, struct);
  return shared.take();
}

/** What Go embeds and JSON inlines is a message within the message. */
interface Plan {
  readonly fields: readonly Field[];
  readonly embedded: ReadonlyMap<number, readonly Field[]>;
}

const plans = new WeakMap<StructSchema, Plan>();

function planOf(struct: StructSchema): Plan {
  const known = plans.get(struct);
  if (known !== undefined) return known;
  const numbered = [...struct.fields.values()].filter(({ number }) => number !== undefined);
  const inner = numbered.filter(({ embeddedIn }) => embeddedIn !== undefined);
  const plan: Plan = {
    fields: numbered.filter(({ embeddedIn }) => embeddedIn === undefined).reverse(),
    embedded: Map.groupBy(inner.reverse(), ({ embeddedIn }) => embeddedIn as number),
  };
  plans.set(struct, plan);
  return plan;
}

type Json = Readonly<Record<string, unknown>>;

function writeMessage(writer: MessageWriter, object: object, struct: StructSchema): void {
  const { fields, embedded } = planOf(struct);
  for (const [number, inner] of embedded) {
    const before = writer.length;
    for (const field of inner) writeField(writer, field, object as Json);
    if (writer.length > before) writer.head(number, writer.length - before);
  }
  for (const field of fields) writeField(writer, field, object as Json);
}

function writeField(writer: MessageWriter, { name, schema, number }: Field, object: Json): void {
  const value = object[name];
  if (value === undefined || value === null) return;
  writeValues(writer, number as number, schema, value);
}

function writeValues(writer: MessageWriter, number: number, schema: Schema, value: unknown): void {
  if (schema.kind === "list") {
    const items = value as readonly unknown[];
    for (let index = items.length - 1; index >= 0; index -= 1) writeValue(writer, number, schema.items, items[index]);
  } else if (schema.kind === "map") {
    for (const [key, one] of Object.entries(value as object).reverse()) {
      const before = writer.length;
      if (schema.values.kind === "list") writeWrapped(writer, 2, () => writeValues(writer, 1, schema.values, one));
      else writeValue(writer, 2, schema.values, one);
      writer.text(1, key);
      writer.head(number, writer.length - before);
    }
  } else writeValue(writer, number, schema, value);
}

function writeWrapped(writer: MessageWriter, number: number, write: () => void): void {
  const before = writer.length;
  write();
  writer.head(number, writer.length - before);
}

function writeValue(writer: MessageWriter, number: number, schema: Schema, value: unknown): void {
  switch (schema.kind) {
    case "struct":
      writeWrapped(writer, number, () => writeMessage(writer, (value ?? {}) as object, schema));
      break;
    case "any":
      writeWrapped(writer, number, () => writer.text(1, JSON.stringify(value)));
      break;
    case "scalar":
      writeScalar(writer, number, schema.type, value);
      break;
    default:
      throw new Error(`proto: a ${schema.kind} cannot stand here`);
  }
}

function writeScalar(writer: MessageWriter, number: number, type: ScalarType, value: unknown): void {
  switch (type) {
    case "string":
      writer.text(number, String(value));
      break;
    case "int32":
    case "int64":
      writer.integer(number, value as number);
      break;
    case "bool":
      writer.integer(number, value === true ? 1 : 0);
      break;
    case "double":
      writer.double(number, value as number);
      break;
    case "bytes":
      writer.bytes(number, Buffer.from(String(value), "base64"));
      break;
    case "quantity":
      writeWrapped(writer, number, () => writer.text(1, String(value)));
      break;
    case "time":
    case "microtime":
      writeWrapped(writer, number, () => writeTime(writer, String(value)));
      break;
    case "duration":
      writeWrapped(writer, number, () => writer.integer(1, BigInt(Math.round(Number.parseFloat(String(value)) * 1e9))));
      break;
    case "intstr":
      writeWrapped(writer, number, () => writeIntOrString(writer, value as string | number));
      break;
    default: {
      throw new Error(`proto: no such type: ${type satisfies never}`);
    }
  }
}

function writeTime(writer: MessageWriter, timestamp: string): void {
  const fraction = /\.(\d+)/.exec(timestamp)?.[1] ?? "";
  writer.integer(2, Number(fraction.padEnd(9, "0").slice(0, 9)));
  writer.integer(1, Math.floor(Date.parse(timestamp) / 1000));
}

function writeIntOrString(writer: MessageWriter, value: string | number): void {
  const isNumber = typeof value === "number";
  writer.text(3, isNumber ? "" : value);
  writer.integer(2, isNumber ? value : 0);
  writer.integer(1, isNumber ? 0 : 1);
}
