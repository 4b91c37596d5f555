import type { Clock } from "../../lib/env.ts";

/** Source: daemon_controller.go, NewBackOff(1s, 15min) for failed pods. */
const FIRST_MS = 1_000;
const MAX_MS = 900_000;

/** How long a node is left alone after its daemon pod failed; longer each time, until it has been well for long. */
export class FailureBackoff {
  readonly #clock: Clock;
  readonly #entries = new Map<string, { readonly delayMs: number; readonly countedMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  remainingMs(key: string): number {
    const entry = this.#entries.get(key);
    return entry === undefined ? 0 : Math.max(0, entry.countedMs + entry.delayMs - this.#clock.monotonic());
  }

  count(key: string): void {
    const countedMs = this.#clock.monotonic();
    const before = this.#entries.get(key);
    const isForgotten = before === undefined || countedMs - before.countedMs > 2 * MAX_MS;
    this.#entries.set(key, { delayMs: isForgotten ? FIRST_MS : Math.min(MAX_MS, before.delayMs * 2), countedMs });
    for (const [other, entry] of this.#entries)
      if (countedMs - entry.countedMs > 2 * MAX_MS) this.#entries.delete(other);
  }
}
