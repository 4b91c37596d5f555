import { describe, expect, it } from "vitest";
import { slowStart } from "./slowStart.ts";

const cases: { name: string; count: number; failsFrom: number; want: { tried: number; succeeded: number } }[] = [
  { name: "does nothing for none", count: 0, failsFrom: 99, want: { tried: 0, succeeded: 0 } },
  { name: "runs all when all succeed", count: 10, failsFrom: 99, want: { tried: 10, succeeded: 10 } },
  { name: "stops after one when the first fails", count: 10, failsFrom: 0, want: { tried: 1, succeeded: 0 } },
  { name: "finishes the batch in which one fails", count: 10, failsFrom: 5, want: { tried: 7, succeeded: 5 } },
];

describe("a slow start", () => {
  it.each(cases)("$name", async ({ count, failsFrom, want }) => {
    let tried = 0;
    const { succeeded, failure } = await slowStart(count, async (index) => {
      tried++;
      if (index >= failsFrom) throw new Error("no");
    });
    expect({ tried, succeeded }).toEqual(want);
    expect(failure !== undefined).toBe(succeeded < count);
  });
});
