import { expect, test } from "vitest";
import { initialProbeState, nextProbeState, type ProbeType, probeTiming } from "./probeState.ts";

const LETTERS = { S: "Success", F: "Failure" } as const;

/** Verdicts after each finding: "S", "F", "-" for not known; "*" where no more is probed. */
function verdicts(type: ProbeType, found: string, probe = {}): string {
  let state = initialProbeState(type);
  return [...found]
    .map((letter) => {
      state = nextProbeState(type, probeTiming(probe), state, LETTERS[letter as "S" | "F"]);
      return (state.verdict === "Unknown" ? "-" : state.verdict[0]) + (state.isOnHold ? "*" : "");
    })
    .join(" ");
}

test.each<[string, ProbeType, string, object, string]>([
  ["three failures make a liveness failure", "liveness", "SFFF", {}, "S S S F*"],
  ["a success in between starts the count anew", "liveness", "FFSFFF", {}, "S S S S S F*"],
  ["readiness comes at the first success", "readiness", "FFS", {}, "F F S"],
  ["and goes after three failures", "readiness", "SFFFS", {}, "S S S F S"],
  ["successThreshold 2 asks for two", "readiness", "SSFSS", { successThreshold: 2, failureThreshold: 1 }, "F S F F S"],
  ["a startup probe is done once it has succeeded", "startup", "FFS", {}, "- - S*"],
  ["or has failed often enough", "startup", "FF", { failureThreshold: 2 }, "- F*"],
])("%s", (_, type, found, probe, want) => {
  expect(verdicts(type, found, probe)).toBe(want);
});

test("the timing has upstream's defaults", () => {
  expect(probeTiming({})).toEqual({
    initialDelayMs: 0,
    periodMs: 10_000,
    timeoutMs: 1000,
    successThreshold: 1,
    failureThreshold: 3,
  });
});
