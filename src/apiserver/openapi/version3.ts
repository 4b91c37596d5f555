/** OpenAPI 3: one document per group and version. */
import type { AnyKind } from "../../machinery/defineKind.ts";
import { type Operation, operationsOf, tagOf } from "./operations.ts";
import { PARAMETERS } from "./parameters.ts";
import { type Descriptions, type JsonSchema, type OpenApiTable, typeSchemas } from "./typeSchemas.ts";
import { STATUS_TEXTS } from "./version2.ts";

const OBJECTS = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const MEDIA: Readonly<Record<Operation["produces"], readonly string[]>> = {
  objects: OBJECTS,
  watch: [...OBJECTS, "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"],
  log: ["text/plain", ...OBJECTS],
  any: ["*/*"],
};
const PATCHES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

const parameter = (name: string, place: "path" | "query", description: string): JsonSchema => ({
  name,
  in: place,
  description,
  ...(place === "path" && { required: true }),
  schema: { type: PARAMETERS[name]?.type ?? "string", uniqueItems: true },
});

function pathParameters(path: string, kind: string): JsonSchema[] {
  const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  const text = (name: string) =>
    name === "name" ? `name of the ${kind}` : "object name and auth scope, such as for teams and projects";
  return named.map((name) => parameter(name, "path", text(name)));
}

const content = (media: readonly string[], schema: JsonSchema) =>
  Object.fromEntries(media.map((type) => [type, { schema }]));

/** @param kinds those of one group and version */
export function openApiVersion3(
  kinds: readonly AnyKind[],
  table: OpenApiTable,
  descriptions: Descriptions,
  version: string,
): JsonSchema {
  const schemas = typeSchemas(table, descriptions, { refPrefix: "#/components/schemas/", isV3: true });
  const paths: Record<string, JsonSchema> = {};
  for (const operation of kinds.flatMap(operationsOf)) {
    const item = paths[operation.path] ?? { parameters: pathParameters(operation.path, operation.gvk.kind) };
    paths[operation.path] = item;
    item[operation.method] = render(operation, schemas.reference);
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: schemas.definitions(),
      securitySchemes: {
        BearerToken: {
          type: "apiKey",
          description: "Bearer Token authentication",
          name: "authorization",
          in: "header",
        },
      },
    },
  };
}

function render(operation: Operation, reference: (type: string) => JsonSchema): JsonSchema {
  const { body, responses, produces } = operation;
  const answers = Object.entries(responses).map(([status, type]) => [
    status,
    {
      description: STATUS_TEXTS[status] ?? "OK",
      content: content(MEDIA[produces], type === "string" ? { type } : reference(type)),
    },
  ]);
  const bodyMedia = operation.method === "patch" ? PATCHES : ["*/*"];
  return {
    tags: [tagOf(operation.served)],
    description: operation.description,
    operationId: operation.operationId,
    parameters: operation.query.map((name) => parameter(name, "query", PARAMETERS[name]?.description ?? "")),
    ...(body !== undefined && {
      requestBody: { ...(body.required && { required: true }), content: content(bodyMedia, reference(body.type)) },
    }),
    responses: { ...Object.fromEntries(answers), 401: { description: "Unauthorized" } },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": {
      group: operation.gvk.group,
      version: operation.gvk.version,
      kind: operation.gvk.kind,
    },
  };
}
