import type { Clock, Timer } from "../lib/env.ts";

/** Delay after the first failure of an item; it doubles. Source: client-go workqueue default_rate_limiters.go. */
const RETRY_DELAY_MIN_MS = 5;
/** Longest delay. Source: as above, 1000 s. */
const RETRY_DELAY_MAX_MS = 1_000_000;

/**
 * Keys to be worked on. A key is in the queue at most once, and is never worked on twice at a time: added while it is
 * being worked on, it comes again after `done`.
 *
 * Worked history: add a, add a, get → a, add a, get waits, done a, get → a.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #retryDelayMinMs: number;
  readonly #retryDelayMaxMs: number;
  /** In order of arrival; a key taken out of the middle would be costly, so none is. */
  readonly #ready: string[] = [];
  #readyHead = 0;
  /** Keys that need work: those in `#ready`, and those added while they were being worked on. */
  readonly #dirty = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { readonly dueMs: number; readonly timer: Timer }>();
  #getters: ((key: string | undefined) => void)[] = [];
  #isShutDown = false;

  constructor(clock: Clock, options: { readonly retryDelayMinMs?: number; readonly retryDelayMaxMs?: number } = {}) {
    this.#clock = clock;
    this.#retryDelayMinMs = options.retryDelayMinMs ?? RETRY_DELAY_MIN_MS;
    this.#retryDelayMaxMs = options.retryDelayMaxMs ?? RETRY_DELAY_MAX_MS;
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#ready.length - this.#readyHead;
  }

  /** Nothing waits, now or later, and nothing is being worked on. */
  get isIdle(): boolean {
    return this.length === 0 && this.#processing.size === 0 && this.#delayed.size === 0;
  }

  add(key: string): void {
    if (this.#isShutDown || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#processing.has(key)) this.#enqueue(key);
  }

  /** Adds later; of several delays for one key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isShutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonic() + delayMs;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.dueMs <= dueMs) return;
    pending?.timer.cancel();
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds after a delay that doubles with each failure since `forget`. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(this.#retryDelayMinMs * 2 ** failures, this.#retryDelayMaxMs));
  }

  /** How often a key has failed since it last succeeded. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key succeeded: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, to be given back with `done`; undefined once the queue is shut down. */
  async get(): Promise<string | undefined> {
    if (this.#isShutDown) return undefined;
    if (this.length === 0) return new Promise((resolve) => this.#getters.push(resolve));
    const key = this.#ready[this.#readyHead++] as string;
    if (this.#readyHead > 1024 && this.#readyHead * 2 > this.#ready.length) {
      this.#ready.splice(0, this.#readyHead);
      this.#readyHead = 0;
    }
    this.#take(key);
    return key;
  }

  done(key: string): void {
    this.#processing.delete(key);
    if (this.#dirty.has(key) && !this.#isShutDown) this.#enqueue(key);
  }

  /** Drops everything; who waits in `get` is given undefined. */
  shutDown(): void {
    this.#isShutDown = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#ready.length = 0;
    this.#readyHead = 0;
    const getters = this.#getters;
    this.#getters = [];
    for (const resolve of getters) resolve(undefined);
  }

  #enqueue(key: string): void {
    const getter = this.#getters.shift();
    if (getter === undefined) {
      this.#ready.push(key);
      return;
    }
    this.#take(key);
    getter(key);
  }

  #take(key: string): void {
    this.#dirty.delete(key);
    this.#processing.add(key);
  }
}
