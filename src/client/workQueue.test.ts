import { describe, expect, it } from "vitest";
import { VirtualClock } from "../lib/virtualClock.ts";
import { WorkQueue } from "./workQueue.ts";

async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) {
    const key = (await queue.get()) as string;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe("a work queue", () => {
  it("holds a key once, in order of arrival", async () => {
    const queue = new WorkQueue(new VirtualClock());
    for (const key of ["a", "b", "a", "c", "b"]) queue.add(key);
    expect(await drain(queue)).toEqual(["a", "b", "c"]);
  });

  it("gives a key that was added during its work again, but only after that", async () => {
    const queue = new WorkQueue(new VirtualClock());
    queue.add("a");
    expect(await queue.get()).toBe("a");
    queue.add("a");
    expect(queue.length).toBe(0);
    queue.done("a");
    expect(await drain(queue)).toEqual(["a"]);
    expect(queue.isIdle).toBe(true);
  });

  it("takes the earliest of several delays", async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue(clock);
    queue.addAfter("a", 100);
    queue.addAfter("a", 10);
    queue.addAfter("a", 50);
    await clock.advance(9);
    expect(queue.length).toBe(0);
    await clock.advance(1);
    expect(await drain(queue)).toEqual(["a"]);
    await clock.advance(1000);
    expect(queue.length).toBe(0);
  });

  it("doubles the delay of a key that fails, up to 1000 s, until it is forgotten", async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue(clock);
    const delays: number[] = [];
    for (let failure = 0; failure < 20; failure++) {
      const fromMs = clock.monotonic();
      queue.addRateLimited("a");
      await clock.advanceUntil(() => queue.length > 0);
      delays.push(clock.monotonic() - fromMs);
      await drain(queue);
    }
    expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(delays.slice(-2)).toEqual([1_000_000, 1_000_000]);
    queue.forget("a");
    expect(queue.failures("a")).toBe(0);
  });

  it("lets who waits go when it is shut down", async () => {
    const queue = new WorkQueue(new VirtualClock());
    const waiting = queue.get();
    queue.shutDown();
    expect(await waiting).toBeUndefined();
    queue.add("a");
    expect(queue.length).toBe(0);
  });
});
