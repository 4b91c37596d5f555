import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  difference,
  type FieldSet,
  fieldSetOf,
  intersection,
  isFieldSet,
  members,
  union,
  withoutSubtrees,
} from "./fieldSet.ts";
import { printPath } from "./pathElements.ts";

const PATHS = ["a", "a.b", "a.b.c", "a.d", "e", "e.f"];
const subset = fc.subarray(PATHS);
const print = (set: FieldSet) => [...members(set)].map((path) => printPath(path).slice(1)).sort();

describe("field sets", () => {
  it("are sets: union, difference and intersection are those of their members", () =>
    fc.assert(
      fc.property(subset, subset, (left, right) => {
        const [a, b] = [fieldSetOf(...left), fieldSetOf(...right)];
        expect(print(a)).toEqual(left.toSorted());
        expect(print(union(a, b))).toEqual([...new Set([...left, ...right])].sort());
        expect(print(difference(a, b))).toEqual(left.filter((path) => !right.includes(path)).sort());
        expect(print(intersection(a, b))).toEqual(left.filter((path) => right.includes(path)).sort());
        const under = (path: string) => right.some((one) => path === one || path.startsWith(`${one}.`));
        expect(print(withoutSubtrees(a, b))).toEqual(left.filter((path) => !under(path)).sort());
      }),
    ));

  it("give back what they were given when nothing changes", () => {
    const set = fieldSetOf("a.b", "c");
    expect(union(set, fieldSetOf("c"))).toBe(set);
    expect(difference(set, fieldSetOf("d", "a"))).toBe(set);
    expect(withoutSubtrees(set, fieldSetOf("a.x"))).toBe(set);
  });

  it("print their paths", () => {
    const set = { "f:a": { 'k:{"n":"x","p":1}': { "f:b": {} } }, "f:c": { 'v:"y"': {} } };
    expect([...members(set)].map(printPath)).toEqual(['.a[n="x",p=1].b', '.c[="y"]']);
  });

  it.each([
    [{ "f:a": { ".": {}, "k:{}": {} } }, true],
    [{ a: {} }, false],
    [{ "f:a": 1 }, false],
    [[], false],
  ])("%j is one: %s", (value, want) => expect(isFieldSet(value)).toBe(want));
});
