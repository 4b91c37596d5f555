import { expired } from "../errors.ts";
import { jsonLength } from "./objectJson.ts";
import type { CacheEvent } from "./sinkGroups.ts";

/** Events younger than this are kept, up to the maximum. Source: apiserver cacher, DefaultEventFreshDuration. */
const FRESH_MS = 75_000;
/** Kept however old they are. Source: apiserver cacher, defaultLowerBoundCapacity. */
const EVENTS_MIN = 100;
/** Older ones go first; who watches from before them gets a 410 and lists anew. Upstream allows 102,400. */
const EVENTS_MAX = 8_192;
/** The same for their objects' JSON, which upstream does not bound: 8,192 objects may be 1 MiB each. */
const EVENT_BYTES_MAX = 64 * 2 ** 20;

/** The latest events of one resource, so that a watch can go on where another ended. */
export class EventWindow {
  #events: CacheEvent[] = [];
  #timesMs: number[] = [];
  /** Index of the oldest one kept; what lies before it is cut off now and then. */
  #head = 0;
  /** Every event after this revision is here. */
  #completeAfter = 0;
  #bytes = 0;

  startAfter(revision: number): void {
    this.#events = [];
    this.#timesMs = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#completeAfter = revision;
  }

  push(event: CacheEvent, nowMs: number): void {
    this.#events.push(event);
    this.#timesMs.push(nowMs);
    this.#bytes += jsonLength(event.object);
    this.trim(nowMs);
  }

  trim(nowMs: number): void {
    while (this.#isTooMuch(nowMs)) {
      const oldest = this.#events[this.#head] as CacheEvent;
      this.#completeAfter = oldest.revision;
      this.#bytes -= jsonLength(oldest.object);
      this.#head += 1;
    }
    // Each cut moves fewer events than have gone since the last one, so that it costs a constant time per event.
    if (this.#head > this.#events.length / 2) this.#cut();
  }

  /** @throws ApiError 410 when some of them are gone. */
  since(revision: number): readonly CacheEvent[] {
    if (revision < this.#completeAfter) {
      throw expired(`too old resource version: ${revision} (${this.#completeAfter})`);
    }
    return this.#events.slice(this.#firstAfter(revision));
  }

  #isTooMuch(nowMs: number): boolean {
    const count = this.#events.length - this.#head;
    if (count > EVENTS_MAX || (count > 1 && this.#bytes > EVENT_BYTES_MAX)) return true;
    return count > EVENTS_MIN && nowMs - (this.#timesMs[this.#head] as number) > FRESH_MS;
  }

  #cut(): void {
    this.#events = this.#events.slice(this.#head);
    this.#timesMs = this.#timesMs.slice(this.#head);
    this.#head = 0;
  }

  #firstAfter(revision: number): number {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
