import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { kinds } from "../../api/index.ts";
import { readFields } from "../../machinery/protobuf/wire.ts";
import { gnosticDocument } from "./gnostic.ts";
import { createOpenApi } from "./openApi.ts";
import type { JsonSchema } from "./typeSchemas.ts";
import { openApiVersion2 } from "./version2.ts";
import { openApiVersion3 } from "./version3.ts";

const table = JSON.parse(readFileSync(join(import.meta.dirname, "../../api/table.json"), "utf8"));
const document = openApiVersion2(kinds, table, {}, "v1.36.3");

/** Texts are ours, and a server lists the values of enumerations, as the published document does not; the rest is the same. */
const withoutTexts = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) =>
      (key === "description" && typeof one === "string") || (key === "enum" && Array.isArray(one))
        ? []
        : [[key, withoutTexts(one)]],
    ),
  );
};

const oraclePath = join(import.meta.dirname, "../../../../shared/oracle/swagger-1.36.json.gz");
if (existsSync(oraclePath)) {
  const oracle = JSON.parse(gunzipSync(readFileSync(oraclePath)).toString("utf8")) as JsonSchema;
  const resolve = (parameter: JsonSchema): JsonSchema =>
    parameter.$ref === undefined ? parameter : oracle.parameters[parameter.$ref.replace("#/parameters/", "")];

  describe("compared with upstream's published document", () => {
    test("every definition is the same", () => {
      const names = Object.keys(document.definitions);
      expect(names.length).toBeGreaterThan(200);
      for (const name of names) {
        expect.soft(withoutTexts(document.definitions[name]), name).toEqual(withoutTexts(oracle.definitions[name]));
      }
    });

    test("every path is upstream's, with the same operations, bodies, answers and parameters", () => {
      for (const [path, item] of Object.entries(document.paths as Record<string, JsonSchema>)) {
        const theirs = oracle.paths[path] as JsonSchema | undefined;
        expect.soft(theirs, path).toBeDefined();
        if (theirs === undefined) continue;
        for (const [method, ours] of Object.entries(item) as [string, JsonSchema][]) {
          if (method === "parameters") continue;
          const one = theirs[method] as JsonSchema | undefined;
          const brief = (operation: JsonSchema | undefined) => ({
            id: operation?.operationId,
            action: operation?.["x-kubernetes-action"],
            gvk: operation?.["x-kubernetes-group-version-kind"],
            tags: operation?.tags,
            responses: withoutTexts(operation?.responses),
            body: (operation?.parameters ?? []).map(resolve).find((parameter: JsonSchema) => parameter.in === "body")
              ?.schema,
          });
          expect.soft(brief(ours), `${method} ${path}`).toEqual(brief(one));
        }
      }
    });
  });
}

describe("served", () => {
  const served = [...kinds];
  const openApi = createOpenApi({ kinds: () => served, table, descriptions: () => ({}), version: "v1.36.3" });
  const get = (url: string, headers: Record<string, string> = {}) => {
    const { pathname, searchParams } = new URL(url, "http://test");
    const response = openApi({ method: "GET", path: pathname, query: searchParams, headers });
    if (response.type !== "bytes") throw new Error(`${url} was not served`);
    return response;
  };
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

  test("the index of version 3 leads to a document for each group and version", () => {
    const { paths } = JSON.parse(text(get("/openapi/v3").bytes));
    expect(Object.keys(paths)).toContain("apis/apps/v1");
    const apps = get(paths["apis/apps/v1"].serverRelativeURL);
    expect(apps.headers?.["cache-control"]).toBe("public, immutable");
    expect(Object.keys(JSON.parse(text(apps.bytes)).components.schemas)).toContain("io.k8s.api.apps.v1.Deployment");
  });

  test("a client that has the document is told so", () => {
    const { headers } = get("/openapi/v2");
    expect(get("/openapi/v2", { "if-none-match": headers?.etag ?? "" }).status).toBe(304);
  });

  test("unknown groups are not found", () => {
    const { status, bytes } = get("/openapi/v3/apis/none/v1");
    expect([status, text(bytes)]).toEqual([404, "404 page not found\n"]);
  });

  test("the protobuf form holds every path and definition under gnostic's numbers", () => {
    const names = (number: number, inner: number) =>
      [...readFields(gnosticDocument(document))]
        .filter((field) => field.number === number)
        .flatMap((field) => [...readFields(field.bytes)].filter((one) => one.number === inner))
        .map((one) => text([...readFields(one.bytes)].find((part) => part.number === 1)?.bytes ?? new Uint8Array()));
    expect(names(8, 2)).toEqual(Object.keys(document.paths));
    expect(names(9, 1)).toEqual(Object.keys(document.definitions));
  });
});

describe("version 3", () => {
  const apps = openApiVersion3(
    kinds.filter(({ group }) => group === "apps"),
    table,
    {},
    "v1.36.3",
  ).components.schemas as JsonSchema;
  const properties = (type: string) => apps[`io.k8s.api.${type}`].properties as JsonSchema;

  test("lists the values of enumerations, as an annotation for people too", () => {
    expect(properties("apps.v1.DeploymentStrategy").type).toEqual({
      type: "string",
      enum: ["Recreate", "RollingUpdate"],
      description: 'Possible enum values:\n - `"Recreate"`\n - `"RollingUpdate"`',
    });
  });

  test("says what is there even when it is empty", () => {
    expect(properties("apps.v1.Deployment").spec).toMatchObject({ default: {} });
    expect(properties("core.v1.Container").name).toMatchObject({ default: "" });
    expect(properties("core.v1.Container").image).not.toHaveProperty("default");
    expect(properties("core.v1.Container").env.items).toEqual({
      default: {},
      allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.EnvVar" }],
    });
  });

  test("has option types of its own group and version alone", () => {
    const options = apps["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"];
    expect(options["x-kubernetes-group-version-kind"]).toEqual([
      { group: "apps", kind: "DeleteOptions", version: "v1" },
    ]);
    expect(apps["io.k8s.api.autoscaling.v1.Scale"]["x-kubernetes-group-version-kind"]).toHaveLength(1);
  });
});
