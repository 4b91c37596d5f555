import { expect, test } from "vitest";
import { nextLook, probeSchedule } from "./probeSchedule.ts";
import { type ProbeType, probeTiming } from "./probeState.ts";

/** "150 350* 1000* …": times of the first looks since the start, those that count with a star. */
function looks(type: ProbeType, probe: object, count: number, succeedsAtMs = Number.POSITIVE_INFINITY): string {
  const timing = probeTiming(probe);
  const plan = probeSchedule(type, timing, "exec" in probe);
  let ageMs = 0;
  return Array.from({ length: count }, () => {
    const { delayMs, counts } = nextLook(plan, timing, ageMs, ageMs >= succeedsAtMs);
    ageMs += delayMs;
    return `${ageMs}${counts ? "*" : ""}`;
  }).join(" ");
}

test.each<[string, ProbeType, object, number, string]>([
  ["liveness counts from the first period on", "liveness", { periodSeconds: 5 }, 3, "5000* 10000* 15000*"],
  ["readiness looks early", "readiness", { periodSeconds: 1 }, 6, "50 150 350 750 1000* 2000*"],
  ["with a process less often", "readiness", { periodSeconds: 1, exec: {} }, 3, "250 1000* 2000*"],
  [
    "never before the initial delay",
    "readiness",
    { periodSeconds: 2, initialDelaySeconds: 3 },
    5,
    "3050 3150 3350 3750 4000*",
  ],
  [
    "liveness waits for the first turn after the delay",
    "liveness",
    { periodSeconds: 10, initialDelaySeconds: 15 },
    2,
    "20000* 30000*",
  ],
])("%s", (_, type, probe, count, want) => {
  expect(looks(type, probe, count)).toBe(want);
});

test("once it has succeeded only the usual looks follow", () => {
  expect(looks("readiness", { periodSeconds: 1 }, 4, 150)).toBe("50 150 1000* 2000*");
});
