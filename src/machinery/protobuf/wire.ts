/** Protocol Buffers' wire format: tags, varints and lengths. Source: protobuf.dev/programming-guides/encoding. */

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export interface WireField {
  readonly number: number;
  readonly type: number;
  /** Of a varint, as signed 64 bits; of other types 0. */
  readonly integer: bigint;
  /** Of everything else. */
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array();
const truncated = () => new Error("proto: unexpected EOF");

/** All fields of one message, in order. @throws Error when the bytes are not a message */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined) throw truncated();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new Error("proto: integer overflow");
  };
  const take = (length: number): Uint8Array => {
    if (length < 0 || offset + length > bytes.length) throw truncated();
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const [number, type] = [tag >>> 3, tag & 7];
    if (number === 0) throw new Error(`proto: illegal tag ${number}`);
    if (type === WIRE.varint) yield { number, type, integer: varint(), bytes: NOTHING };
    else if (type === WIRE.fixed64) yield { number, type, integer: 0n, bytes: take(8) };
    else if (type === WIRE.bytes) yield { number, type, integer: 0n, bytes: take(Number(varint())) };
    else if (type === WIRE.fixed32) yield { number, type, integer: 0n, bytes: take(4) };
    else throw new Error(`proto: illegal wireType ${type}`);
  }
}

/** All varints packed into one field. */
export function readPacked(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(BigInt.asIntN(64, value));
    value = 0n;
    shift = 0n;
  }
  return values;
}

function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

const tag = (number: number, type: number) => varintBytes(BigInt((number << 3) | type));

export const varintField = (number: number, value: bigint): Uint8Array[] => [
  tag(number, WIRE.varint),
  varintBytes(value),
];

/** What stands before `length` bytes. */
export const bytesHead = (number: number, length: number): Uint8Array[] => [
  tag(number, WIRE.bytes),
  varintBytes(BigInt(length)),
];

export const bytesField = (number: number, bytes: Uint8Array): Uint8Array[] => [
  ...bytesHead(number, bytes.length),
  bytes,
];
