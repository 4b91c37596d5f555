import { itemLength, writeItem } from "../store/objectJson.ts";

/** Large enough to be few, small enough to go out while the next one is made. */
const CHUNK_BYTES = 256 * 1024;

/** The JSON of a list, in chunks, of the bytes that its objects already have. `head` is the list without `items`. */
export function* listJson(head: object, items: readonly object[]): Iterable<Uint8Array> {
  const opening = `${JSON.stringify(head).slice(0, -1)},"items":[`;
  let chunk = Buffer.from(opening);
  let index = 0;
  do {
    const until = endOfChunk(items, index, chunk.length);
    const size = items
      .slice(index, until)
      .reduce((sum, item) => sum + itemLength(item) + 1, chunk.length + CLOSING.length);
    const buffer = Buffer.allocUnsafe(size);
    buffer.set(chunk, 0);
    let offset = chunk.length;
    for (; index < until; index += 1) {
      if (index > 0) buffer[offset++] = COMMA;
      offset = writeItem(items[index] as object, buffer, offset);
    }
    if (index === items.length) offset += buffer.write(CLOSING, offset, "latin1");
    yield buffer.subarray(0, offset);
    chunk = EMPTY;
  } while (index < items.length);
}

const COMMA = 0x2c;
const CLOSING = "]}\n";
const EMPTY = Buffer.alloc(0);

function endOfChunk(items: readonly object[], start: number, used: number): number {
  let size = used;
  let end = start;
  while (end < items.length && size < CHUNK_BYTES) {
    size += itemLength(items[end] as object);
    end += 1;
  }
  return end;
}
