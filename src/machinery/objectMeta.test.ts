import { describe, expect, test } from "vitest";
import { errorText, FieldPath } from "./fieldErrors.ts";
import type { ObjectMeta } from "./object.ts";
import { nameIsDnsLabel, validateFieldManager, validateObjectMeta, validateObjectMetaUpdate } from "./objectMeta.ts";

const PATH = new FieldPath("metadata");
const BASE: ObjectMeta = {
  name: "web",
  namespace: "default",
  uid: "1",
  resourceVersion: "5",
  creationTimestamp: "2026-01-01T00:00:00Z",
};

const texts = (meta: Partial<ObjectMeta>, namespaced = true) =>
  validateObjectMeta(meta, { namespaced }, PATH).map(errorText);

describe("metadata", () => {
  test("is valid", () => {
    expect(texts(BASE)).toEqual([]);
  });

  test("a generated name may end in a dash, a name may not", () => {
    expect(texts({ ...BASE, generateName: "web-" })).toEqual([]);
    expect(texts({ ...BASE, name: "web-" })).toHaveLength(1);
  });

  test("a label for a name is checked as such", () => {
    const errors = validateObjectMeta(
      { ...BASE, name: "a.b" },
      { namespaced: true, validateName: nameIsDnsLabel },
      PATH,
    );
    expect(errors.map(errorText)).toEqual(['metadata.name: Invalid value: "a.b": must not contain dots']);
  });

  test("an object of the cluster has no namespace", () => {
    expect(texts(BASE, false)).toEqual(["metadata.namespace: Forbidden: not allowed on this type"]);
  });

  test("a field manager has a printable name", () => {
    expect(validateFieldManager("kubectl\u0007", PATH).map(errorText)).toEqual([
      'metadata: Invalid value: "kubectl\\u0007": invalid character U+0007 (at position 7)',
    ]);
  });
});

describe("changes of metadata", () => {
  const DYING = { deletionTimestamp: "2026-01-02T00:00:00Z" };
  test.each<[string, Partial<ObjectMeta>, Partial<ObjectMeta>, string[]]>([
    ["labels may change", {}, { labels: { a: "b" } }, []],
    ["the UID may not", {}, { uid: "2" }, ['metadata.uid: Invalid value: "2": field is immutable']],
    ["the name may not", {}, { name: "x" }, ['metadata.name: Invalid value: "x": field is immutable']],
    ["the namespace may not", {}, { namespace: "x" }, ['metadata.namespace: Invalid value: "x": field is immutable']],
    [
      "a version must be named",
      {},
      { resourceVersion: "" },
      ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    ],
    [
      "the generation does not fall",
      { generation: 2 },
      { generation: 1 },
      ["metadata.generation: Invalid value: 1: must not be decremented"],
    ],
    ["finalizers may be added", {}, { finalizers: ["example.com/a"] }, []],
    [
      "unless the object is going",
      DYING,
      { ...DYING, finalizers: ["example.com/b", "example.com/a"] },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/a", "example.com/b"}',
      ],
    ],
    [
      "the deletion is not taken back",
      DYING,
      {},
      ["metadata.deletionTimestamp: Invalid value: null: field is immutable"],
    ],
  ])("%s", (_, before, after, expected) => {
    const errors = validateObjectMetaUpdate({ ...BASE, ...after }, { ...BASE, ...before }, PATH);
    expect(errors.map(errorText)).toEqual(expected);
  });
});
