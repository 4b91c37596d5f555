/** Keys per chunk at which it is split in two; what an insertion moves is at most this many pointers. */
const CHUNK_KEYS_MAX = 512;

/** First index in [0, length) at which `before` no longer holds. */
function lowerBound(length: number, before: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A set of keys in order: a list of sorted chunks, so that 100,000 keys cost an insertion a binary search and a move
 * within one chunk, and a page of a range costs its own length.
 *
 * Worked history (chunks of at most 2): add b, d → [b d]; add c → [b] [c d]; remove b → [c d].
 */
export class SortedKeys {
  readonly #chunks: string[][] = [];

  /** @param key must not be in the set. */
  add(key: string): void {
    const chunks = this.#chunks;
    const at = Math.max(0, this.#chunkOf(key));
    const chunk = chunks[at];
    if (chunk === undefined) {
      chunks.push([key]);
      return;
    }
    chunk.splice(
      lowerBound(chunk.length, (index) => (chunk[index] as string) < key),
      0,
      key,
    );
    if (chunk.length > CHUNK_KEYS_MAX) chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1));
  }

  /** @param key must be in the set. */
  remove(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] as string[];
    chunk.splice(
      lowerBound(chunk.length, (index) => (chunk[index] as string) < key),
      1,
    );
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** How many keys come before `key`. */
  countBefore(key: string): number {
    const at = this.#chunkOf(key);
    let count = 0;
    for (let index = 0; index < at; index++) count += (this.#chunks[index] as string[]).length;
    const chunk = this.#chunks[at];
    return chunk === undefined ? count : count + lowerBound(chunk.length, (index) => (chunk[index] as string) < key);
  }

  /** The keys from `key` (inclusive) on. The set must not change meanwhile. */
  *from(key: string): Generator<string> {
    let at = Math.max(0, this.#chunkOf(key));
    const first = this.#chunks[at];
    if (first === undefined) return;
    let index = lowerBound(first.length, (position) => (first[position] as string) < key);
    for (; at < this.#chunks.length; at++, index = 0) {
      const chunk = this.#chunks[at] as string[];
      for (; index < chunk.length; index++) yield chunk[index] as string;
    }
  }

  /** Index of the last chunk that begins at or before `key`; -1 when all begin after it. */
  #chunkOf(key: string): number {
    return lowerBound(this.#chunks.length, (index) => (this.#chunks[index]?.[0] as string) <= key) - 1;
  }
}
