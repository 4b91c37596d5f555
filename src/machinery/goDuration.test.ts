import { expect, test } from "vitest";
import { parseGoDuration } from "./goDuration.ts";

test.each([
  ["0", 0],
  ["30s", 30_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1_500],
  [".5m", 30_000],
  ["-1ms", -1],
  ["2us", 0.002],
])("%s is %d ms", (text, want) => {
  expect(parseGoDuration(text)).toBeCloseTo(want, 9);
});

test.each([
  ["", 'time: invalid duration ""'],
  ["x", 'time: invalid duration "x"'],
  [".s", 'time: invalid duration ".s"'],
  ["5", 'time: missing unit in duration "5"'],
  ["5q", 'time: unknown unit "q" in duration "5q"'],
  ["1h5", 'time: missing unit in duration "1h5"'],
])("%j is refused as Go refuses it", (text, want) => {
  expect(() => parseGoDuration(text)).toThrow(want);
});
