import { describe, expect, test } from "vitest";
import { isTolerated, type TaintLike, type TolerationLike } from "./tolerations.ts";

const taint: TaintLike = { key: "gpu", value: "2", effect: "NoSchedule" };

describe("a taint gpu=2:NoSchedule", () => {
  test.each<{ readonly name: string; readonly toleration: TolerationLike; readonly want: boolean }>([
    { name: "is covered by everything", toleration: { operator: "Exists" }, want: true },
    { name: "is covered by its key", toleration: { key: "gpu", operator: "Exists" }, want: true },
    { name: "is covered by key and value", toleration: { key: "gpu", value: "2" }, want: true },
    { name: "is not covered by another value", toleration: { key: "gpu", operator: "Equal", value: "3" }, want: false },
    { name: "is not covered by the key alone, without Exists", toleration: { key: "gpu" }, want: false },
    { name: "is not covered for another effect", toleration: { operator: "Exists", effect: "NoExecute" }, want: false },
    { name: "is covered by more", toleration: { key: "gpu", operator: "Lt", value: "3" }, want: true },
    {
      name: "is not covered by a number with a zero ahead",
      toleration: { key: "gpu", operator: "Lt", value: "03" },
      want: false,
    },
    { name: "is not covered by an unknown operator", toleration: { key: "gpu", operator: "In" }, want: false },
  ])("$name", ({ toleration, want }) => {
    expect(isTolerated(taint, [toleration])).toBe(want);
  });

  test("is not covered by none", () => {
    expect(isTolerated(taint, undefined)).toBe(false);
  });
});
