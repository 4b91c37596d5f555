/** Waiting for what has no watch: asks again until the answer is right. */
import { setTimeout as sleep } from "node:timers/promises";

const ASK_AGAIN_MS = 50;

/**
 * Asks until `isRight` or the time is over. What throws counts as a wrong answer.
 * @returns the right answer @throws Error with the last answer
 */
export async function eventually<T>(
  ask: () => Promise<T> | T,
  isRight: (answer: T) => boolean,
  withinMs = 30_000,
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const answer = await Promise.resolve()
      .then(ask)
      .then(
        (value) => ({ value, right: isRight(value), text: () => JSON.stringify(value) }),
        (error: unknown) => ({ value: undefined as T, right: false, text: () => String(error) }),
      );
    if (answer.right) return answer.value;
    if (performance.now() > deadlineMs)
      throw new Error(`not so within ${withinMs} ms: ${isRight}; last: ${answer.text()}`);
    await sleep(ASK_AGAIN_MS);
  }
}
