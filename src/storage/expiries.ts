import type { Clock, Timer } from "../lib/env.ts";
import { Heap } from "../lib/heap.ts";
import type { Entry } from "./storage.ts";

/** Longest delay that one timer can have; what is due later is looked at again then. Source: Node.js timers. */
const TIMER_DELAY_MAX_MS = 2 ** 31 - 1;

/** How soon a deletion that could not be written is tried again. */
const RETRY_DELAY_MS = 1000;

interface Expiry {
  readonly key: string;
  readonly modRevision: number;
  readonly dueMs: number;
}

/**
 * When entries with a TTL are to go: one timer, for the earliest. An entry that has been written again meanwhile has
 * another revision, so its old expiry finds nothing to do.
 */
export class Expiries {
  readonly #clock: Clock;
  readonly #expire: (key: string, modRevision: number) => Promise<void>;
  readonly #heap = new Heap<Expiry>((a, b) => a.dueMs - b.dueMs || a.modRevision - b.modRevision);
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  /** @param expire deletes the entry if it still has that revision; rejects when that should be tried again. */
  constructor(clock: Clock, expire: (key: string, modRevision: number) => Promise<void>) {
    this.#clock = clock;
    this.#expire = expire;
  }

  add({ key, modRevision }: Entry, dueMs: number): void {
    this.#heap.push({ key, modRevision, dueMs });
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    const earliest = this.#heap.peek();
    if (this.#stopped || earliest === undefined || earliest.dueMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = earliest.dueMs;
    const delayMs = Math.min(Math.max(0, earliest.dueMs - this.#clock.now()), TIMER_DELAY_MAX_MS);
    this.#timer = this.#clock.setTimer(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.now();
    for (let next = this.#heap.peek(); next !== undefined && next.dueMs <= nowMs; next = this.#heap.peek()) {
      const { key, modRevision } = next;
      this.#heap.pop();
      this.#expire(key, modRevision).catch(() => {
        this.#heap.push({ key, modRevision, dueMs: this.#clock.now() + RETRY_DELAY_MS });
        this.#arm();
      });
    }
    this.#arm();
  }
}
