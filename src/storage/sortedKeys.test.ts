import { expect, it } from "vitest";
import { seededRandom } from "../lib/random.ts";
import { SortedKeys } from "./sortedKeys.ts";

it("keeps thousands of keys in order while they come and go", () => {
  const random = seededRandom("keys");
  const keys = new SortedKeys();
  const model = new Set<string>();
  for (let round = 0; round < 20_000; round++) {
    const key = `k${random.int(6000)}`;
    if (model.delete(key)) keys.remove(key);
    else {
      model.add(key);
      keys.add(key);
    }
  }
  const sorted = [...model].sort();
  expect(sorted.length).toBeGreaterThan(2000);
  expect([...keys.from("")]).toEqual(sorted);
  for (const key of ["", "k", "k3", "k3000", sorted[700] as string, "z"]) {
    const before = sorted.filter((other) => other < key).length;
    expect(keys.countBefore(key)).toBe(before);
    expect([...keys.from(key)]).toEqual(sorted.slice(before));
  }
});

it("can become empty and be used again", () => {
  const keys = new SortedKeys();
  expect([...keys.from("")]).toEqual([]);
  keys.add("a");
  keys.remove("a");
  expect(keys.countBefore("z")).toBe(0);
  keys.add("b");
  expect([...keys.from("a")]).toEqual(["b"]);
});
