import { expect, test } from "vitest";
import { ago, humanDuration } from "./humanDuration.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [-3 * SECOND, "<invalid>"],
  [-1 * SECOND, "0s"],
  [0, "0s"],
  [119 * SECOND, "119s"],
  [2 * MINUTE, "2m"],
  [3 * MINUTE + 20 * SECOND, "3m20s"],
  [10 * MINUTE + 20 * SECOND, "10m"],
  [179 * MINUTE, "179m"],
  [3 * HOUR, "3h"],
  [3 * HOUR + 5 * MINUTE, "3h5m"],
  [8 * HOUR + 5 * MINUTE, "8h"],
  [47 * HOUR, "47h"],
  [2 * DAY + 3 * HOUR, "2d3h"],
  [8 * DAY + 3 * HOUR, "8d"],
  [729 * DAY, "729d"],
  [740 * DAY, "2y10d"],
  [3000 * DAY, "8y"],
])("%i ms are %s", (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test("an unknown time is unknown", () => {
  expect(ago(undefined, 0)).toBe("<unknown>");
  expect(ago("1970-01-01T00:00:00Z", 14_000)).toBe("14s");
});
