import type { Env } from "../lib/env.ts";

/** First wait for a server that is away; it doubles, and is drawn from [d, 2d). */
const FIRST_WAIT_MS = 50;
/** Upstream waits up to half a minute, for the sake of thousands of nodes; a server on this machine is soon back. */
const WAIT_MAX_MS = 250;

/**
 * A server that cannot be reached, as all reflectors of a process see it. Each tries again now and then by itself; the
 * first that is answered wakes the others.
 */
export class Outage {
  readonly #env: Env;
  readonly #waiting = new Set<AbortController>();
  #isNoted = false;

  constructor(env: Env) {
    this.#env = env;
  }

  /** @param attempts how often the caller has waited since it was last answered. */
  async wait(attempts: number, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#env;
    if (!this.#isNoted) log.warn("the API server cannot be reached; will try again", { error });
    this.#isNoted = true;
    const waking = new AbortController();
    this.#waiting.add(waking);
    const delayMs = Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** attempts) * (1 + random.next());
    await clock.sleep(delayMs, AbortSignal.any([signal, waking.signal])).catch(() => undefined);
    this.#waiting.delete(waking);
  }

  /** The server has answered. */
  over(): void {
    this.#isNoted = false;
    for (const waking of this.#waiting) waking.abort();
  }
}

const NETWORK_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ENOENT",
  "ENOTCONN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** Whether nobody answered, as opposed to an answer that is an error. ENOENT: its Unix socket is not there. */
export function isUnreachable(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "string" && (NETWORK_CODES.has(code) || code.startsWith("ERR_HTTP2_"));
}
