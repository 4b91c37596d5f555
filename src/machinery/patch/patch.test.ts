import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX } from "./jsonPatch.ts";
import { applyMergePatch, mergePatchBetween } from "./mergePatch.ts";

describe("applyJsonPatch", () => {
  const document = { a: { b: [1, 2] }, "x/y": "z" };
  it.each<[string, object[], unknown]>([
    ["adds", [{ op: "add", path: "/c", value: 1 }], { ...document, c: 1 }],
    ["inserts into a list", [{ op: "add", path: "/a/b/1", value: 9 }], { ...document, a: { b: [1, 9, 2] } }],
    ["appends", [{ op: "add", path: "/a/b/-", value: 3 }], { ...document, a: { b: [1, 2, 3] } }],
    ["removes", [{ op: "remove", path: "/x~1y" }], { a: document.a }],
    ["replaces the whole", [{ op: "replace", path: "", value: { n: 1 } }], { n: 1 }],
    [
      "replaces what is not there, as upstream does",
      [{ op: "replace", path: "/a/c", value: 1 }],
      { ...document, a: { b: [1, 2], c: 1 } },
    ],
    ["moves", [{ op: "move", from: "/x~1y", path: "/w" }], { a: document.a, w: "z" }],
    ["copies", [{ op: "copy", from: "/a/b/0", path: "/w" }], { ...document, w: 1 }],
    ["tests", [{ op: "test", path: "/a/b", value: [1, 2] }], document],
  ])("%s", (_, patch, want) => {
    const before = JSON.stringify(document);
    expect(applyJsonPatch(document, patch)).toEqual(want);
    expect(JSON.stringify(document)).toBe(before);
  });

  it.each<[string, unknown, number]>([
    ["a failed test", [{ op: "test", path: "/a/b/0", value: 2 }], 422],
    ["a path that is not there", [{ op: "remove", path: "/q" }], 422],
    ["an element that is not there", [{ op: "replace", path: "/a/b/2", value: 3 }], 422],
    ["a member of what is not there", [{ op: "replace", path: "/q/r", value: 3 }], 422],
    ["an unknown operation", [{ op: "frob", path: "/a" }], 422],
    ["a patch that is no list", { op: "add" }, 400],
    [
      "too many operations",
      new Array(JSON_PATCH_OPERATIONS_MAX + 1).fill({ op: "test", path: "/x~1y", value: "z" }),
      413,
    ],
  ])("refuses %s", (_, patch, code) =>
    expect(() => applyJsonPatch(document, patch)).toThrow(expect.objectContaining({ code })),
  );

  it("does not touch prototypes", () => {
    const attempts = ["/__proto__/polluted", "/constructor/prototype/polluted"];
    for (const [path, op] of attempts.flatMap((path) => [[path, "add"] as const, [path, "replace"] as const])) {
      try {
        applyJsonPatch({ a: 1 }, [{ op, path, value: 1 }]);
      } catch (error) {
        expect(error).toMatchObject({ code: 422 });
      }
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("applyMergePatch", () => {
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j with %j is %j", (document, patch, want) => {
    const before = JSON.stringify(document);
    expect(applyMergePatch(document, patch)).toEqual(want);
    expect(JSON.stringify(document)).toBe(before);
  });

  it("refuses what is no object", () =>
    expect(() => applyMergePatch({}, [])).toThrow(expect.objectContaining({ code: 400 })));

  it("undoes any difference that mergePatchBetween finds", () => {
    const leaf = fc.oneof(fc.integer({ max: 3, min: 0 }), fc.array(fc.integer({ max: 2, min: 0 }), { maxLength: 2 }));
    const value = fc.letrec((tie) => ({
      node: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof(leaf, tie("node")), { noNullPrototype: true }),
    })).node;
    fc.assert(
      fc.property(value, value, (from, to) => {
        const patch = mergePatchBetween(from as Record<string, unknown>, to as Record<string, unknown>);
        expect(applyMergePatch(from, patch)).toEqual(to);
      }),
    );
  });
});
