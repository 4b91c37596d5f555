import { describe, expect, it } from "vitest";
import { buildSchemas } from "../schema.ts";
import { applyStrategicMergePatch } from "./strategicMergePatch.ts";

const schema = buildSchemas({
  types: {
    Item: {
      fields: {
        name: "1 string",
        value: "2 string",
        items: "3 []Item merge=name strategy=merge",
        kept: "4 []Item merge=name strategy=merge,retainKeys",
        plain: "5 []Item",
        set: "6 []int32 strategy=merge",
        numbers: "7 []int32",
        map: "8 {}string",
        whole: "9 Item strategy=replace",
        child: "10 Item",
      },
    },
  },
}).type("Item");

/** "a b=1" is two items, the second with a value. */
const list = (text: string) =>
  text === ""
    ? []
    : text.split(" ").map((word) => {
        const [name, value] = word.split("=");
        return value === undefined ? { name } : { name, value };
      });

const deleted = (name: string) => ({ name, $patch: "delete" });

describe("applyStrategicMergePatch", () => {
  it.each<[string, object, object, object]>([
    ["null deletes a key", { name: "a", value: "x" }, { value: null }, { name: "a" }],
    ["null adds nothing", {}, { child: { value: null, name: "a" } }, { child: { name: "a" } }],
    ["maps merge", { map: { a: "1", b: "2" } }, { map: { b: null, c: "3" } }, { map: { a: "1", c: "3" } }],
    ["a map is replaced on demand", { map: { a: "1" } }, { map: { $patch: "replace", b: "2" } }, { map: { b: "2" } }],
    ["a map is emptied on demand", { child: { name: "a" } }, { child: { $patch: "delete" } }, { child: {} }],
    [
      "a struct with the replace strategy",
      { whole: { name: "a" } },
      { whole: { value: "x" } },
      { whole: { value: "x" } },
    ],
    ["lists merge by key", { items: list("a b=1") }, { items: list("b=2 c") }, { items: list("a b=2 c") }],
    ["a plain list is replaced", { plain: list("a b") }, { plain: list("c") }, { plain: list("c") }],
    ["an item is deleted", { items: list("a b") }, { items: [deleted("a")] }, { items: list("b") }],
    ["deleting what is not there adds nothing", { items: list("a") }, { items: [deleted("b")] }, { items: list("a") }],
    ["directives vanish where there is no list", {}, { items: [deleted("b"), { name: "a" }] }, { items: list("a") }],
    [
      "a list is replaced on demand",
      { items: list("a b") },
      { items: [{ $patch: "replace" }, { name: "c" }] },
      { items: list("c") },
    ],
    ["primitives are a set", { set: [1, 2] }, { set: [2, 3] }, { set: [1, 2, 3] }],
    ["primitives are deleted from a set", { set: [1, 2, 3] }, { "$deleteFromPrimitiveList/set": [2] }, { set: [1, 3] }],
    ["an order is set", { items: list("a b c") }, { "$setElementOrder/items": list("c a") }, { items: list("b c a") }],
    [
      "an order with a new item; the server's own stays in its place",
      { items: list("a x b") },
      { "$setElementOrder/items": list("n b a"), items: list("n") },
      { items: list("n x b a") },
    ],
    ["an order of primitives", { set: [1, 2, 3] }, { "$setElementOrder/set": [3, 1] }, { set: [2, 3, 1] }],
    [
      "only retained keys stay",
      { child: { name: "a", value: "x" } },
      { child: { $retainKeys: ["name"], name: "b" } },
      { child: { name: "b" } },
    ],
    [
      "items keep only retained keys",
      { kept: list("a=1 b=2") },
      { kept: [{ $retainKeys: ["name"], name: "a" }] },
      { kept: list("a b=2") },
    ],
    [
      "lists in items of lists, where a new item comes before the server's own",
      { items: [{ name: "a", items: list("x") }] },
      { items: [{ name: "a", items: list("y") }] },
      { items: [{ name: "a", items: list("y x") }] },
    ],
    ["a field that is not in the schema", { other: { a: 1 } }, { other: { b: 2 } }, { other: { a: 1, b: 2 } }],
  ])("%s", (_, original, patch, want) => {
    const before = JSON.stringify(original);
    expect(applyStrategicMergePatch(original, patch, schema)).toEqual(want);
    expect(JSON.stringify(original)).toBe(before);
  });

  it.each<[string, object, unknown, string, number]>([
    [
      "an item without its key",
      { items: list("a") },
      { items: [{ value: "x" }] },
      "does not contain declared merge key: name",
      500,
    ],
    ["a directive that does not exist", { map: {} }, { map: { $patch: "x" } }, "unknown patch type: x in map", 500],
    [
      "a patch that sets what it does not retain",
      { child: {} },
      { child: { $retainKeys: [], name: "a" } },
      "invalid patch format of retainKeys",
      400,
    ],
    [
      "an order that the patch does not follow",
      { items: list("a") },
      { "$setElementOrder/items": list("a b"), items: list("c") },
      "doesn't match $setElementOrder list",
      500,
    ],
    ["no object", {}, "x", "error decoding patch", 400],
  ])("refuses %s", (_, original, patch, message, code) => {
    expect(() => applyStrategicMergePatch(original, patch, schema)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), code }),
    );
  });
});
