import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** The plain bytes of a stream that may be compressed with gzip or zstd; its first bytes tell, media types may lie. */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const iterator = source[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < ZSTD.length) {
    const { value, done } = await iterator.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const whole = Readable.from(rejoined(start, iterator), { objectMode: false });
  const decoder = decoderFor(start);
  if (decoder === undefined) {
    yield* whole;
    return;
  }
  whole.on("error", (error) => decoder.destroy(error));
  yield* whole.pipe(decoder);
}

function decoderFor(start: Buffer) {
  if (start.subarray(0, GZIP.length).equals(GZIP)) return createGunzip();
  if (start.subarray(0, ZSTD.length).equals(ZSTD)) return createZstdDecompress();
  return undefined;
}

async function* rejoined(start: Buffer, rest: AsyncIterator<Uint8Array>) {
  if (start.length > 0) yield start;
  for (;;) {
    const { value, done } = await rest.next();
    if (done) return;
    yield value;
  }
}
