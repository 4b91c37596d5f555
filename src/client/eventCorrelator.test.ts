import { describe, expect, it } from "vitest";
import { EventCorrelator } from "./eventCorrelator.ts";

const about = (name: string) => ({ kind: "Pod", namespace: "default", name, uid: name });
const occurrence = (name: string, message: string) => ({ involved: about(name), type: "Normal", reason: "R", message });

describe("events", () => {
  it("are the same when object, reason and message are", () => {
    const correlator = new EventCorrelator();
    const [first, second, other] = ["m", "m", "n"].map((message) => correlator.correlate(occurrence("a", message), 0));
    expect(first?.key).toBe(second?.key);
    expect(other?.key).not.toBe(first?.key);
  });

  it("are combined from the tenth similar message on, within ten minutes", () => {
    const correlator = new EventCorrelator();
    const messages = Array.from({ length: 11 }, (_, n) => correlator.correlate(occurrence("a", `m${n}`), 0)?.message);
    expect(messages[8]).toBe("m8");
    expect(messages[9]).toBe("(combined from similar events): m9");
    expect(messages[10]).toBe("(combined from similar events): m10");
    expect(correlator.correlate(occurrence("a", "late"), 600_001)?.message).toBe("late");
  });

  it("about one object are dropped after 25, and one more is let through every five minutes", () => {
    const correlator = new EventCorrelator();
    const passed = (nowMs: number) => correlator.correlate(occurrence("a", "m"), nowMs) !== undefined;
    expect(Array.from({ length: 30 }, () => passed(0)).filter(Boolean)).toHaveLength(25);
    expect(correlator.correlate(occurrence("b", "m"), 0)).toBeDefined();
    expect([passed(299_000), passed(300_000), passed(300_001)]).toEqual([false, true, false]);
  });

  it("are remembered for an hour after their last use", () => {
    const correlator = new EventCorrelator();
    const event = { name: "a.1", namespace: "default", count: 1, firstTimestamp: "" };
    const remember = (key: string, nowMs: number) => correlator.remember(key, event, nowMs);
    remember("a", 0);
    remember("b", 0);
    expect(correlator.recorded("a", 3_000_000)).toBe(event);
    remember("c", 3_600_001);
    expect(correlator.recorded("a", 3_600_001)).toBe(event);
    expect(correlator.recorded("b", 3_600_001)).toBeUndefined();
  });
});
