import { describe, expect, it } from "vitest";
import { deepEqual, semanticEqual } from "./deepEqual.ts";

describe("deepEqual", () => {
  it.each([
    ["the order of keys does not matter", { a: 1, b: 2 }, { b: 2, a: 1 }, true],
    ["nothing, null and undefined are the same", { a: null, b: undefined }, {}, true],
    ["lists are in order", [1, 2], [2, 1], false],
    ["a list is not an object", [], {}, false],
    ["an empty list is something", { a: [] }, {}, false],
    ["a key more", { a: 1 }, { a: 1, b: 1 }, false],
    ["types differ", 1, "1", false],
    ["depth", { a: [{ b: { c: 1 } }] }, { a: [{ b: { c: 2 } }] }, false],
  ])("%s", (_, a, b, want) => {
    expect(deepEqual(a, b)).toBe(want);
    expect(deepEqual(b, a)).toBe(want);
  });
});

describe("semanticEqual", () => {
  it.each([
    ["empty is absent", { a: [], b: {} }, {}, {}, true],
    ["zero is not absent", { a: 0 }, {}, {}, false],
    ["amounts are texts", { cpu: "1" }, { cpu: "1000m" }, {}, false],
    ["amounts are equal by value where asked", { cpu: "1" }, { cpu: "1000m" }, { quantities: true }, true],
    ["other amounts are not", { cpu: "1" }, { cpu: "2" }, { quantities: true }, false],
  ])("%s", (_, a, b, options, want) => {
    expect(semanticEqual(a, b, options)).toBe(want);
    expect(semanticEqual(b, a, options)).toBe(want);
  });
});
