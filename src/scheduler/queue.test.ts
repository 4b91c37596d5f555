import { expect, test } from "vitest";
import type { Pod } from "../api/generated/core-v1.ts";
import { SchedulingQueue } from "./queue.ts";

const pod = (name: string, priority = 0): Pod =>
  ({ metadata: { name, uid: name, generation: 1 }, spec: { containers: [], priority }, status: {} }) as unknown as Pod;
const queueOf = () => new SchedulingQueue((plugin, event) => plugin === "Fit" && event === "pod-removed");
const taken = (queue: SchedulingQueue, nowMs: number) => queue.take(nowMs)?.metadata.name;

test("higher priority goes first, then first come", () => {
  const queue = queueOf();
  for (const one of [pod("a"), pod("b", 5), pod("c")]) queue.put(one, 0);
  expect([taken(queue, 0), taken(queue, 0), taken(queue, 0), taken(queue, 0)]).toEqual(["b", "a", "c", undefined]);
});

test("an unschedulable pod waits for an event that helps", () => {
  const queue = queueOf();
  queue.put(pod("a"), 0);
  expect(taken(queue, 0)).toBe("a");
  queue.giveBack("a", ["Fit"], 0);
  queue.happened("node-labels-changed", 100);
  expect(taken(queue, 2_000)).toBeUndefined();
  queue.happened("pod-removed", 2_100);
  expect(taken(queue, 2_100)).toBe("a");
});

test("while it backs off others go first, but nobody waits for nothing", () => {
  const queue = queueOf();
  queue.put(pod("a", 5), 0);
  queue.take(0);
  queue.giveBack("a", ["Fit"], 0);
  queue.happened("pod-removed", 500);
  queue.put(pod("b"), 500);
  expect([taken(queue, 500), taken(queue, 500)]).toEqual(["b", "a"]);
});

test("after an error the back-off is waited out", () => {
  const queue = queueOf();
  queue.put(pod("a"), 0);
  queue.take(0);
  queue.giveBack("a", [], 0);
  expect([taken(queue, 999), queue.nextDueMs(), taken(queue, 1_000)]).toEqual([undefined, 1_000, "a"]);
});

test("the back-off doubles with each attempt, up to ten seconds", () => {
  const queue = queueOf();
  queue.put(pod("a"), 0);
  const waits: number[] = [];
  let nowMs = 0;
  for (let attempt = 0; attempt < 6; attempt++) {
    queue.take(nowMs);
    queue.giveBack("a", [], nowMs);
    waits.push((queue.nextDueMs() as number) - nowMs);
    nowMs = queue.nextDueMs() as number;
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test("an event that comes during the attempt is not lost", () => {
  const queue = queueOf();
  queue.put(pod("a"), 0);
  queue.take(0);
  queue.happened("pod-removed", 10);
  queue.giveBack("a", ["Fit"], 20);
  expect(taken(queue, 1_000)).toBe("a");
});

test("nobody waits longer than five minutes without a new attempt", () => {
  const queue = queueOf();
  queue.put(pod("a"), 0);
  queue.take(0);
  queue.giveBack("a", ["Fit"], 0);
  expect(queue.nextDueMs()).toBe(300_000);
  expect(taken(queue, 300_000)).toBe("a");
});

test("a pod that has gone is not tried", () => {
  const queue = queueOf();
  queue.put(pod("a"), 0);
  queue.remove("a");
  expect(taken(queue, 0)).toBeUndefined();
});

test("a change of the pod during the attempt is not lost", () => {
  const queue = new SchedulingQueue((plugin, event) => plugin === "Fit" && event === "pod-changed");
  queue.put(pod("a"), 0);
  queue.take(0);
  queue.put({ ...pod("a"), metadata: { ...pod("a").metadata, generation: 2 } }, 5);
  expect(taken(queue, 1_000)).toBeUndefined();
  queue.giveBack("a", ["Fit"], 10);
  expect(taken(queue, 1_000)).toBe("a");
});

test("a pod that comes back to the queue keeps its order, whatever its revision says meanwhile", () => {
  const queue = queueOf();
  for (const one of [pod("a"), pod("b", 5), pod("c", 7)]) queue.put(one, 0);
  queue.put({ ...pod("a", 9), metadata: { ...pod("a").metadata, generation: 2 } }, 0);
  expect([taken(queue, 0), taken(queue, 0), taken(queue, 0)]).toEqual(["c", "b", "a"]);
});

test("a pod put again after it was removed is one pod", () => {
  const queue = queueOf();
  queue.put(pod("a"), 0);
  queue.remove("a");
  queue.put(pod("a"), 0);
  expect([taken(queue, 0), taken(queue, 0)]).toEqual(["a", undefined]);
});

test("with ten thousand pods waiting, an event that helps none and a look at the clock cost next to nothing", () => {
  const queue = queueOf();
  for (let index = 0; index < 10_000; index++) queue.put(pod(`p${index}`), 0);
  for (let index = 0; index < 10_000; index++) queue.giveBack(queue.take(0)?.metadata.uid as string, ["Fit"], 0);
  let takenInVain = 0;
  const startedMs = performance.now();
  for (let index = 0; index < 10_000; index++) {
    queue.happened("node-labels-changed", index % 1_000);
    if (queue.take(index % 1_000) !== undefined) takenInVain += 1;
    queue.nextDueMs();
  }
  // One pass over all of them per step would be 3 × 10⁸ steps.
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect(takenInVain).toBe(0);
  queue.happened("pod-removed", 1_000);
  expect(taken(queue, 1_000)).toBe("p0");
});
