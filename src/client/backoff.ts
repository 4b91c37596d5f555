import type { Env } from "../lib/env.ts";

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** A delay is drawn from [d, d × (1 + jitter)). */
  readonly jitter: number;
  /** After this long without a failure the delays start from the beginning. */
  readonly resetAfterMs: number;
}

/** Growing delays. Source: apimachinery util/wait, NewExponentialBackoffManager. */
export class Backoff {
  readonly #env: Pick<Env, "clock" | "random">;
  readonly #options: BackoffOptions;
  #nextMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(env: Pick<Env, "clock" | "random">, options: BackoffOptions) {
    this.#env = env;
    this.#options = options;
    this.#nextMs = options.initialMs;
  }

  /** How long to wait this time. */
  next(): number {
    const { initialMs, maxMs, factor, jitter, resetAfterMs } = this.#options;
    const nowMs = this.#env.clock.monotonic();
    if (nowMs - this.#lastMs > resetAfterMs) this.#nextMs = initialMs;
    this.#lastMs = nowMs;
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(maxMs, delayMs * factor);
    return delayMs * (1 + this.#env.random.next() * jitter);
  }
}
