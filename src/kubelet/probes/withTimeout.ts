import type { Clock } from "../../lib/env.ts";

/** As Go's net/http words it, which is what people search for. */
export const TIMEOUT_TEXT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

/** Runs with a signal that aborts after `timeoutMs`; rejects then, even where `run` does not listen. */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
  text: string = TIMEOUT_TEXT,
): Promise<T> {
  const stopping = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => {
      const error = new Error(text);
      stopping.abort(error);
      reject(error);
    });
    run(stopping.signal)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}
