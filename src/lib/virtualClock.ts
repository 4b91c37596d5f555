import type { Clock, Timer } from "./env.ts";
import { Heap } from "./heap.ts";

interface Entry {
  dueMs: number;
  order: number;
  run: (() => void) | undefined;
}

/** Lets everything that is ready to run in this process run: promise reactions of any depth, but no timers. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Time that moves only when told to. Timers fire in order of their due time, then of their making, and between two of
 * them everything that they set going settles; so the same program gives the same history every time.
 *
 * Worked history: timers at 10 and 20 ms, the first of which sets one for 15. `advance(20)` fires 10, 15, 20.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #order = 0;
  readonly #timers = new Heap<Entry>((a, b) => a.dueMs - b.dueMs || a.order - b.order);

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const entry: Entry = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.push(entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.setTimer(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Moves time on by `durationMs`, firing what falls due. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    for (;;) {
      const entry = this.#timers.peek();
      if (entry === undefined || entry.dueMs > untilMs) break;
      this.#timers.pop();
      if (entry.run === undefined) continue;
      this.#nowMs = entry.dueMs;
      entry.run();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /**
   * Advances from timer to timer until `condition` holds.
   * @throws Error when it does not hold within `limitMs` of virtual time.
   */
  async advanceUntil(condition: () => boolean | Promise<boolean>, limitMs: number = 3_600_000): Promise<void> {
    const untilMs = this.#nowMs + limitMs;
    await settle();
    while (!(await condition())) {
      const entry = this.#timers.peek();
      if (entry === undefined || entry.dueMs > untilMs) {
        throw new Error(`the condition did not come true within ${limitMs} ms of virtual time`);
      }
      await this.advance(entry.dueMs - this.#nowMs);
    }
  }
}
