import { SortedKeys } from "./sortedKeys.ts";
import type { Entry, RangeRequest } from "./storage.ts";

/** Sorts after every key that begins with the prefix: no key contains this code unit. */
const prefixEnd = (prefix: string): string => `${prefix}\uffff`;

/** What each key was at some past revision, for the keys that have changed since. */
export type PastStates = ReadonlyMap<string, Entry | undefined>;

/** The newest durable entry of each key, in key order. */
export class LiveEntries {
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new SortedKeys();

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  set(entry: Entry): void {
    if (!this.#entries.has(entry.key)) this.#keys.add(entry.key);
    this.#entries.set(entry.key, entry);
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#keys.remove(key);
  }

  /** A page of the present, or of the past that `past` describes, and how many keys follow it. */
  range({ prefix, after, limit = 0 }: RangeRequest, past?: PastStates): { entries: Entry[]; remaining: number } {
    const start = after === undefined || after < prefix ? prefix : after;
    const follows = (key: string) => key.startsWith(prefix) && (after === undefined || key > after);
    const pages = past === undefined ? this.#from(start, prefix) : this.#pastFrom(start, prefix, past);
    const entries: Entry[] = [];
    for (const entry of pages) {
      if (limit > 0 && entries.length === limit) break;
      if (follows(entry.key)) entries.push(entry);
    }
    const last = entries.at(-1)?.key;
    if (limit === 0 || last === undefined) return { entries, remaining: 0 };
    return { entries, remaining: this.#countAfter(last, prefix, past) };
  }

  *#from(start: string, prefix: string): Generator<Entry> {
    for (const key of this.#keys.from(start)) {
      if (!key.startsWith(prefix)) return;
      yield this.#entries.get(key) as Entry;
    }
  }

  /** Merges the unchanged entries with the past states of the changed ones. */
  *#pastFrom(start: string, prefix: string, past: PastStates): Generator<Entry> {
    const changed = [...past.values()]
      .filter((entry) => entry?.key.startsWith(prefix) && entry.key >= start)
      .sort((a, b) => ((a as Entry).key < (b as Entry).key ? -1 : 1)) as Entry[];
    let index = 0;
    for (const entry of this.#from(start, prefix)) {
      while (index < changed.length && (changed[index] as Entry).key <= entry.key) yield changed[index++] as Entry;
      if (!past.has(entry.key)) yield entry;
    }
    yield* changed.slice(index);
  }

  #countAfter(last: string, prefix: string, past: PastStates = new Map()): number {
    let count = this.#keys.countBefore(prefixEnd(prefix)) - this.#keys.countBefore(last);
    if (this.#entries.has(last)) count--;
    for (const [key, entry] of past) {
      if (key <= last || !key.startsWith(prefix)) continue;
      count += (entry === undefined ? 0 : 1) - (this.#entries.has(key) ? 1 : 0);
    }
    return count;
  }
}
