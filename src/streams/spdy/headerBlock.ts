/**
 * Header blocks: names and values, compressed as one zlib stream over the whole connection. Unlike browsers, Kubernetes'
 * clients send no `:method` and `:path`. Source: SPDY protocol draft 3.1, 2.6.10.
 */
import { constants, createInflate } from "node:zlib";
import { HEADER_DICTIONARY } from "./dictionary.ts";

/** Beyond this the connection is stuck, and ends with the client's patience. */
const BLOCK_BYTES_MAX = 256 * 1024;

export type Headers = Readonly<Record<string, string>>;

/** @returns reads one compressed block after the other, in the order of the frames. */
export function headerReader(): (block: Buffer) => Promise<Headers> {
  const stream = { readableHighWaterMark: BLOCK_BYTES_MAX };
  const inflate = createInflate({ dictionary: HEADER_DICTIONARY, flush: constants.Z_SYNC_FLUSH, ...stream });
  return (block) =>
    new Promise((resolve, reject) => {
      inflate.once("error", reject);
      inflate.write(block, () => {
        inflate.off("error", reject);
        const pieces: Buffer[] = [];
        for (let piece = inflate.read(); piece !== null; piece = inflate.read()) pieces.push(piece as Buffer);
        try {
          resolve(parseHeaders(Buffer.concat(pieces)));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
}

/** A count, then each name and value with its length. @throws RangeError for a block cut short */
function parseHeaders(block: Buffer): Headers {
  let offset = 4;
  const text = (): string => {
    const end = offset + 4 + block.readUInt32BE(offset);
    const value = block.toString("utf8", offset + 4, end);
    offset = end;
    return value;
  };
  const headers: Record<string, string> = {};
  for (let left = block.readUInt32BE(0); left > 0; left--) {
    const name = text();
    headers[name.toLowerCase()] = text();
  }
  return headers;
}

const ZLIB_HEADER = [0x78, 0x01];
/** A block of four stored bytes, a count of no headers, then the empty block that says "all of it, now". */
const NO_HEADERS = [0x00, 0x04, 0x00, 0xfb, 0xff, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0xff, 0xff];

/** The block without headers, which is all that a server of Kubernetes' ever sends. It needs no compressor. */
export const emptyHeaderBlock = (isFirst: boolean): Buffer =>
  Buffer.from(isFirst ? [...ZLIB_HEADER, ...NO_HEADERS] : NO_HEADERS);
