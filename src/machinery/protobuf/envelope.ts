/**
 * How Kubernetes wraps a protobuf object: four bytes, then `runtime.Unknown` with the kind and the message.
 * Source: apimachinery runtime/serializer/protobuf/protobuf.go.
 */
import { bytesField, bytesHead, readFields } from "./wire.ts";

export const PROTOBUF_MEDIA_TYPE = "application/vnd.kubernetes.protobuf";

const PREFIX = Buffer.from("k8s\0", "latin1");

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** @throws Error when the bytes are not wrapped so */
export function unwrap(bytes: Uint8Array): Envelope {
  if (!PREFIX.equals(bytes.subarray(0, PREFIX.length))) {
    throw new Error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  let apiVersion = "";
  let kind = "";
  let raw: Uint8Array = new Uint8Array();
  for (const field of readFields(bytes.subarray(PREFIX.length))) {
    if (field.number === 2) raw = field.bytes;
    if (field.number !== 1) continue;
    for (const { number, bytes: text } of readFields(field.bytes)) {
      if (number === 1) apiVersion = Buffer.from(text).toString("utf8");
      else if (number === 2) kind = Buffer.from(text).toString("utf8");
    }
  }
  return { apiVersion, kind, raw };
}

export const wrap = ({ raw, ...type }: Envelope): Uint8Array => Buffer.concat(wrapParts(type, [raw]));

/** As `wrap`, of a message that is in parts, which are not copied. */
export function wrapParts(
  { apiVersion, kind }: Omit<Envelope, "raw">,
  raw: readonly Uint8Array[],
): readonly Uint8Array[] {
  const typeMeta = Buffer.concat([...bytesField(1, Buffer.from(apiVersion)), ...bytesField(2, Buffer.from(kind))]);
  const empty = Buffer.alloc(0);
  const length = raw.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.concat([PREFIX, ...bytesField(1, typeMeta), ...bytesHead(2, length)]);
  return [head, ...raw, ...bytesField(3, empty), ...bytesField(4, empty)];
}
