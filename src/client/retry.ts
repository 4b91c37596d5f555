import type { Env } from "../lib/env.ts";
import { isApiError } from "../machinery/errors.ts";

export interface RetryOptions {
  readonly attemptsMax: number;
  readonly delayMs: number;
  readonly factor: number;
  /** A delay is drawn from [d, d × (1 + jitter)). */
  readonly jitter: number;
}

/** When other writers are few. Source: client-go util/retry, DefaultRetry. */
export const QUICK_RETRY: RetryOptions = { attemptsMax: 5, delayMs: 10, factor: 1, jitter: 0.1 };
/** When other writers are busy. Source: client-go util/retry, DefaultBackoff. */
export const PATIENT_RETRY: RetryOptions = { attemptsMax: 4, delayMs: 10, factor: 5, jitter: 0.1 };

/** Runs `attempt` until it does not fail with a conflict. @throws what it threw last. */
export const retryOnConflict = <R>(env: Env, attempt: () => Promise<R>, options?: RetryOptions): Promise<R> =>
  retry(env, (error) => isApiError(error, "Conflict"), attempt, options);

export async function retry<R>(
  { clock, random }: Env,
  isWorthwhile: (error: unknown) => boolean,
  attempt: () => Promise<R>,
  { attemptsMax, delayMs, factor, jitter }: RetryOptions = QUICK_RETRY,
): Promise<R> {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (tried >= attemptsMax || !isWorthwhile(error)) throw error;
      await clock.sleep(delayMs * factor ** (tried - 1) * (1 + random.next() * jitter));
    }
  }
}
