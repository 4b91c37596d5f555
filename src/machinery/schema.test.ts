import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { buildSchemas, type Field, type Schema, type TypeTable } from "./schema.ts";

const table: TypeTable = JSON.parse(readFileSync(new URL("../api/table.json", import.meta.url), "utf8"));
const schemas = buildSchemas(table);

const field = (type: string, name: string): Field => {
  const found = schemas.type(type).fields.get(name);
  if (found === undefined) throw new Error(`${type} has no ${name}`);
  return found;
};

it("finds a kind, and one schema per type", () => {
  const pod = schemas.kind({ group: "", version: "v1", kind: "Pod" });
  expect(pod).toBe(schemas.type("api.core.v1.Pod"));
  expect(pod?.fields.get("spec")?.schema).toBe(schemas.type("api.core.v1.PodSpec"));
});

it("does not take the shared option types for kinds", () => {
  expect(schemas.kind({ group: "", version: "v1", kind: "DeleteOptions" })).toBeUndefined();
  expect(schemas.kind({ group: "", version: "v1", kind: "Nope" })).toBeUndefined();
  expect(schemas.kind({ group: "autoscaling", version: "v1", kind: "Scale" })?.name).toBe("api.autoscaling.v1.Scale");
});

it("knows how lists merge", () => {
  expect(field("api.core.v1.Container", "ports").schema).toMatchObject({
    kind: "list",
    listType: "map",
    mapKeys: ["containerPort", "protocol"],
    patchMergeKey: "containerPort",
    patchStrategy: ["merge"],
  });
  expect(field("api.core.v1.PodSpec", "volumes").patchStrategy).toEqual(["merge", "retainKeys"]);
  expect(field("api.core.v1.Container", "args").schema).toMatchObject({ listType: "atomic", mapKeys: [] });
  expect(field("apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers").schema).toMatchObject({ listType: "set" });
});

it("knows defaults of map keys, numbers, atomic maps and what is always written", () => {
  expect(field("api.core.v1.ContainerPort", "protocol")).toMatchObject({ default: "TCP", number: 4 });
  expect(field("api.core.v1.Pod", "kind").number).toBeUndefined();
  expect(field("api.core.v1.PodSpec", "nodeSelector").schema).toMatchObject({ kind: "map", atomic: true });
  expect(schemas.type("api.core.v1.Container").always.map(({ name }) => name)).toEqual(["name", "resources"]);
});

it("resolves every type of the table, recursive ones too", () => {
  const visit = (schema: Schema): void => {
    if (schema.kind === "list") visit(schema.items);
    else if (schema.kind === "map") visit(schema.values);
    else expect(schema.kind === "struct" ? schemas.hasType(schema.name) : true).toBe(true);
  };
  for (const name of schemas.typeNames()) for (const { schema } of schemas.type(name).fields.values()) visit(schema);
});

it("refuses a type that does not exist", () => expect(() => schemas.type("x")).toThrow("no type x in the table"));

it("takes raw extensions for one value", () => {
  expect(field("api.apps.v1.ControllerRevision", "data").schema).toEqual({ kind: "any", atomic: true });
});
