import { expect, test } from "vitest";
import { type BackOffEntry, backOffUntil, goDuration, nextBackOff } from "./backOff.ts";

test("the delays double from 10 s to 300 s, and start anew after 600 s that went well", () => {
  let entry: BackOffEntry | undefined;
  const delays: number[] = [];
  let nowMs = 0;
  for (const ranMs of [1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 600_001, 1000]) {
    const endedAtMs = nowMs + ranMs;
    const untilMs = backOffUntil(entry, endedAtMs, endedAtMs) ?? endedAtMs;
    delays.push((untilMs - endedAtMs) / 1000);
    nowMs = untilMs;
    entry = nextBackOff(entry, endedAtMs, nowMs);
  }
  expect(delays).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 0, 10]);
});

test.each([
  [10_000, "10s"],
  [80_000, "1m20s"],
  [300_000, "5m0s"],
  [3_600_000, "1h0m0s"],
  [1234, "1.234s"],
  [393, "393ms"],
  [0, "0s"],
])("%d ms is %s", (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});
