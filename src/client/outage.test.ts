import { describe, expect, it } from "vitest";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import { ApiError } from "../machinery/errors.ts";
import { isUnreachable, Outage } from "./outage.ts";

describe("an outage", () => {
  it("is tried after 50 ms at first, and at least every half second", async () => {
    const clock = new VirtualClock();
    const outage = new Outage({ clock, random: seededRandom("outage"), log: silentLog });
    const { signal } = new AbortController();
    const waits: number[] = [];
    for (let attempts = 0; attempts < 20; attempts++) {
      const fromMs = clock.monotonic();
      const waiting = outage
        .wait(attempts, new Error("away"), signal)
        .then(() => waits.push(clock.monotonic() - fromMs));
      await clock.advance(500);
      await waiting;
    }
    expect(waits[0]).toBeLessThanOrEqual(100);
    expect(waits[19]).toBeGreaterThanOrEqual(250);
    expect(Math.max(...waits)).toBeLessThanOrEqual(500);
  });

  it("is over for all as soon as one is answered", async () => {
    const clock = new VirtualClock();
    const outage = new Outage({ clock, random: seededRandom("outage"), log: silentLog });
    const { signal } = new AbortController();
    let woken = 0;
    for (let index = 0; index < 5; index++) void outage.wait(9, new Error("away"), signal).then(() => woken++);
    await clock.advance(10);
    outage.over();
    await clock.advance(0);
    expect(woken).toBe(5);
  });

  it("is what comes from the network, and no answer", () => {
    const coded = (code: string) => Object.assign(new Error("x"), { code });
    expect(["ECONNREFUSED", "ENOENT", "ERR_HTTP2_GOAWAY_SESSION"].map((code) => isUnreachable(coded(code)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(isUnreachable(new ApiError("ServiceUnavailable", "not now"))).toBe(false);
  });
});
