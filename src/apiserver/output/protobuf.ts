/**
 * Objects as protobuf, for clients that like it better than JSON (Go's typed clients and controllers do). What kinds
 * have no type here, or one without numbers, goes as JSON: Tables, versions, plain discovery.
 */
import { parseApiVersion } from "../../machinery/object.ts";
import { encodeMessage } from "../../machinery/protobuf/encodeMessage.ts";
import { wrapParts } from "../../machinery/protobuf/envelope.ts";
import { bytesField } from "../../machinery/protobuf/wire.ts";
import type { WatchFrame } from "../../machinery/requests.ts";
import type { Field, Schemas, StructSchema } from "../../machinery/schema.ts";
import { META_TYPES, typeOf } from "../protobufParser.ts";

/** Source: apimachinery runtime/serializer/protobuf; the second as handlers/watch.go words it. */
export const PROTOBUF_WATCH_MEDIA_TYPE = "application/vnd.kubernetes.protobuf;stream=watch";

export interface ProtobufOutput {
  /** With Kubernetes' envelope, in chunks where it is long; undefined where the object has no such form. */
  encode(object: object): Uint8Array | Iterable<Uint8Array> | undefined;
  /** One event of a watch, its length before it. */
  frame(type: WatchFrame["type"], object: object): WatchFrame;
}

type Headed = object & { readonly apiVersion?: string; readonly kind?: string; readonly items?: readonly object[] };

export function createProtobufOutput(schemas: Schemas): ProtobufOutput {
  const partials = partialTypes(schemas.type(`${META_TYPES}.ObjectMeta`), schemas.type(`${META_TYPES}.ListMeta`));

  function partsOf(object: Headed): readonly Uint8Array[] | undefined {
    const { apiVersion = "", kind = "" } = object;
    if (apiVersion === "" || kind === "") return undefined;
    const isMeta = parseApiVersion(apiVersion).group === "meta.k8s.io";
    const struct = isMeta ? partials[kind] : typeOf(schemas, apiVersion, kind);
    if (struct === undefined) return undefined;
    const { items, ...head } = object;
    const parts = items === undefined ? [messageOf(object, struct)] : listParts(head, items, struct);
    return wrapParts({ apiVersion, kind }, parts);
  }

  function frame(type: WatchFrame["type"], object: object): WatchFrame {
    let made: Uint8Array | undefined;
    const bytes = () => {
      made ??= framed(type, Buffer.concat(partsOf(object) ?? []));
      return made;
    };
    return { type, object, bytes };
  }

  const encode = (object: object) => {
    const parts = partsOf(object);
    return parts === undefined ? undefined : joined(parts);
  };

  return { encode, frame };
}

/** Large enough to be few, small enough to go out while the next one is made. */
const CHUNK_BYTES = 256 * 1024;

function joined(parts: readonly Uint8Array[]): Uint8Array | Iterable<Uint8Array> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return length <= CHUNK_BYTES ? Buffer.concat(parts) : chunksOf(parts);
}

function* chunksOf(parts: readonly Uint8Array[]): Iterable<Uint8Array> {
  let begin = 0;
  let length = 0;
  for (let index = 0; index < parts.length; index += 1) {
    length += (parts[index] as Uint8Array).length;
    if (length < CHUNK_BYTES && index < parts.length - 1) continue;
    yield Buffer.concat(parts.slice(begin, index + 1));
    begin = index + 1;
    length = 0;
  }
}

/** The bytes of every revision are made once, as they are of its JSON. */
const messages = new WeakMap<object, Uint8Array>();

function messageOf(object: object, struct: StructSchema): Uint8Array {
  const known = messages.get(object);
  if (known !== undefined) return known;
  const bytes = encodeMessage(object, struct);
  messages.set(object, bytes);
  return bytes;
}

function listParts(head: object, items: readonly object[], struct: StructSchema): Uint8Array[] {
  const field = struct.fields.get("items") as Field;
  const item = (field.schema as { readonly items: StructSchema }).items;
  return [
    encodeMessage(head, struct),
    ...items.flatMap((object) => bytesField(field.number as number, messageOf(object, item))),
  ];
}

/** Source: runtime/serializer/protobuf, lengthDelimitedFrameWriter; meta/v1 WatchEvent, runtime RawExtension. */
function framed(type: string, object: Uint8Array): Uint8Array {
  const raw = Buffer.concat(bytesField(1, object));
  const event = Buffer.concat([...bytesField(1, Buffer.from(type)), ...bytesField(2, raw)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}

/** Metadata alone, which is no type of the table. Source: meta/v1 generated.proto. */
function partialTypes(metadata: StructSchema, listMetadata: StructSchema): Readonly<Record<string, StructSchema>> {
  const field = (name: string, number: number, schema: Field["schema"]): readonly [string, Field] => [
    name,
    {
      name,
      schema,
      number,
      default: undefined,
      embeddedIn: undefined,
      patchStrategy: [],
      always: false,
      omitsEmpty: true,
    },
  ];
  const struct = (name: string, ...fields: (readonly [string, Field])[]): StructSchema => ({
    kind: "struct",
    name: `${META_TYPES}.${name}`,
    fields: new Map(fields),
    required: [],
    atomic: false,
    always: [],
    preserveUnknown: false,
  });
  const one = struct("PartialObjectMetadata", field("metadata", 1, metadata));
  const items = { kind: "list", items: one, listType: "atomic", mapKeys: [] } as const;
  const many = { ...items, patchMergeKey: undefined, patchStrategy: [] };
  return {
    PartialObjectMetadata: one,
    PartialObjectMetadataList: struct(
      "PartialObjectMetadataList",
      field("metadata", 1, listMetadata),
      field("items", 2, many),
    ),
  };
}
