import { describe, expect, it } from "vitest";
import { crashRounds } from "./rounds.ts";

const ROUNDS = 30;
const TIMEOUT_MS = 240_000;

describe("an acknowledged write", () => {
  it(`survives ${ROUNDS} times SIGKILL, and the power cut then and earlier`, { timeout: TIMEOUT_MS }, async () => {
    const { rounds, acknowledged, steps, killProblems, powerProblems } = await crashRounds({
      rounds: ROUNDS,
      seed: "a",
    });
    expect([...killProblems, ...powerProblems]).toEqual([]);
    expect(rounds).toBe(ROUNDS);
    expect(acknowledged).toBeGreaterThan(ROUNDS);
    expect(steps).toBeGreaterThan(ROUNDS * 100);
  });

  it("is seen to be lost when nothing is synced, though SIGKILL alone does not see it", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const storage = { unsafeNoFsync: true };
    const { killProblems, powerProblems } = await crashRounds({ rounds: 5, seed: "b", storage });
    expect(killProblems).toEqual([]);
    expect(powerProblems.join("\n")).toMatch(/was acknowledged and is lost/);
  });
});
