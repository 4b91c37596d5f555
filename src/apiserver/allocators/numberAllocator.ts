/** Source: kubernetes pkg/registry/core/service/allocator, bitmap.go and its strategy with an offset. */
import type { Random } from "../../lib/env.ts";

/**
 * Hands out whole numbers in [0, size), each once. Those below `offset` are kept for who asks for one by name, and
 * handed out by chance only when all others have gone.
 */
export class NumberAllocator {
  readonly #taken: Uint8Array;
  readonly #offset: number;
  readonly #random: Random;
  #free: number;

  constructor(size: number, offset: number, random: Random) {
    this.#taken = new Uint8Array(size);
    this.#free = size;
    this.#offset = offset;
    this.#random = random;
  }

  get free(): number {
    return this.#free;
  }

  has(number: number): boolean {
    return this.#taken[number] === 1;
  }

  /** Takes this very one; false when somebody has it. */
  take(number: number): boolean {
    if (this.#taken[number] !== 0) return false;
    this.#taken[number] = 1;
    this.#free -= 1;
    return true;
  }

  /** Takes any; undefined when none is left. */
  takeNext(): number | undefined {
    const upper = this.#scan(this.#offset, this.#taken.length);
    const found = upper ?? this.#scan(0, this.#offset);
    if (found !== undefined) this.take(found);
    return found;
  }

  release(number: number): void {
    if (this.#taken[number] !== 1) return;
    this.#taken[number] = 0;
    this.#free += 1;
  }

  /** The first free one from a random place on, going round. */
  #scan(from: number, until: number): number | undefined {
    const count = until - from;
    if (count <= 0) return undefined;
    const start = this.#random.int(count);
    for (let step = 0; step < count; step += 1) {
      const candidate = from + ((start + step) % count);
      if (this.#taken[candidate] === 0) return candidate;
    }
    return undefined;
  }
}
