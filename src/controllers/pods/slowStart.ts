/** First batch of several writes. Source: controller_utils.go, SlowStartInitialBatchSize. */
const FIRST_BATCH = 1;

/**
 * Runs `act` `count` times in batches of 1, 2, 4, … and stops after the first batch in which one failed: what fails
 * every time is tried once, not 500 times. @returns how many succeeded, and the first failure.
 */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<void>,
): Promise<{ readonly succeeded: number; readonly failure: unknown }> {
  let succeeded = 0;
  let started = 0;
  for (let batch = Math.min(count, FIRST_BATCH); batch > 0; batch = Math.min(2 * batch, count - started)) {
    const first = started;
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, index) => act(first + index)));
    started += batch;
    const failed = results.filter((result) => result.status === "rejected");
    succeeded += batch - failed.length;
    if (failed.length > 0) return { succeeded, failure: failed[0]?.reason };
  }
  return { succeeded, failure: undefined };
}
