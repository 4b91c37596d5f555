/** Frames of SPDY/3.1, as bytes. Source: SPDY protocol draft 3.1, 2.2 and 2.6. */

export const SYN_STREAM = 1;
const SYN_REPLY = 2;
export const RST_STREAM = 3;
export const PING = 6;
const GOAWAY = 7;

export const FLAG_FIN = 1;
/** Status of RST_STREAM. */
const CANCEL = 5;

const HEADER_BYTES = 8;
const CONTROL = 0x80;
const VERSION = 3;
/** Stream ids have 31 bits. */
const ID_MASK = 0x7fff_ffff;

export type Frame =
  | { readonly kind: "data"; readonly streamId: number; readonly isLast: boolean; readonly body: Buffer }
  | { readonly kind: "control"; readonly type: number; readonly flags: number; readonly body: Buffer };

/** Cuts what arrives into frames. Lengths have 24 bits, which bounds what waits. */
export function frameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUIntBE(5, 3);
      if (rest.length < end) break;
      frames.push(parseFrame(rest.subarray(0, end)));
      rest = rest.subarray(end);
    }
    return frames;
  };
}

function parseFrame(bytes: Buffer): Frame {
  const flags = bytes[4] as number;
  const body = bytes.subarray(HEADER_BYTES);
  return ((bytes[0] as number) & CONTROL) === 0
    ? { kind: "data", streamId: bytes.readUInt32BE(0), isLast: (flags & FLAG_FIN) !== 0, body }
    : { kind: "control", type: bytes.readUInt16BE(2), flags, body };
}

/** Of a SYN_STREAM or RST_STREAM. */
export const streamIdOf = (body: Buffer): number => body.readUInt32BE(0) & ID_MASK;

/** What follows the two stream ids, the priority and the slot. */
export const headerBlockOf = (synStream: Buffer): Buffer => synStream.subarray(10);

export function dataFrame(streamId: number, body: Uint8Array, isLast: boolean): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(streamId);
  header[4] = isLast ? FLAG_FIN : 0;
  header.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([header, body]);
}

function controlFrame(type: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE((CONTROL << 8) | VERSION);
  header.writeUInt16BE(type, 2);
  header.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([header, body]);
}

const words = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
};

export const synReplyFrame = (streamId: number, headerBlock: Uint8Array): Buffer =>
  controlFrame(SYN_REPLY, Buffer.concat([words(streamId), headerBlock]));
export const resetFrame = (streamId: number): Buffer => controlFrame(RST_STREAM, words(streamId, CANCEL));
export const pingFrame = (body: Uint8Array): Buffer => controlFrame(PING, body);
export const goAwayFrame = (lastStreamId: number): Buffer => controlFrame(GOAWAY, words(lastStreamId, 0));
