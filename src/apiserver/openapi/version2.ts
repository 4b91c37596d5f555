/** The OpenAPI 2 ("swagger") document of everything that is served. */
import type { AnyKind } from "../../machinery/defineKind.ts";
import { type Operation, operationsOf, tagOf } from "./operations.ts";
import { PARAMETERS } from "./parameters.ts";
import { type Descriptions, type JsonSchema, type OpenApiTable, typeSchemas } from "./typeSchemas.ts";

const OBJECTS = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const PRODUCES: Readonly<Record<Operation["produces"], readonly string[]>> = {
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

const queryParameter = (name: string): JsonSchema => ({
  uniqueItems: true,
  type: PARAMETERS[name]?.type ?? "string",
  description: PARAMETERS[name]?.description ?? "",
  name,
  in: "query",
});
const pathParameter = (name: string, description: string): JsonSchema => ({
  uniqueItems: true,
  type: "string",
  description,
  name,
  in: "path",
  required: true,
});

/** Parameters that every operation of a path takes. */
function pathParameters(path: string, kind: string): JsonSchema[] {
  const found: JsonSchema[] = [];
  if (path.includes("{name}")) found.push(pathParameter("name", `name of the ${kind}`));
  if (path.includes("{namespace}"))
    found.push(pathParameter("namespace", "object name and auth scope, such as for teams and projects"));
  if (path.includes("{path}")) found.push(pathParameter("path", PARAMETERS.path?.description ?? ""));
  return found;
}

export function openApiVersion2(
  kinds: readonly AnyKind[],
  table: OpenApiTable,
  descriptions: Descriptions,
  version: string,
): JsonSchema {
  const schemas = typeSchemas(table, descriptions, { refPrefix: "#/definitions/", isV3: false });
  const paths: Record<string, JsonSchema> = {};
  for (const operation of kinds.flatMap(operationsOf)) {
    const item = paths[operation.path] ?? { parameters: pathParameters(operation.path, operation.gvk.kind) };
    paths[operation.path] = item;
    item[operation.method] = render(operation, schemas.reference);
  }
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    definitions: schemas.definitions(),
    securityDefinitions: {
      BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" },
    },
    security: [{ BearerToken: [] }],
  };
}

function render(operation: Operation, reference: (type: string) => JsonSchema): JsonSchema {
  const { body, responses } = operation;
  const bodyParameter =
    body === undefined
      ? []
      : [{ name: "body", in: "body", ...(body.required && { required: true }), schema: reference(body.type) }];
  const parameters = [...bodyParameter, ...operation.query.map(queryParameter)];
  const answers = Object.entries(responses).map(([status, type]) => [
    status,
    { description: STATUS_TEXTS[status] ?? "OK", schema: type === "string" ? { type } : reference(type) },
  ]);
  return {
    description: operation.description,
    consumes: operation.method === "patch" && body !== undefined ? PATCHES : ["*/*"],
    produces: PRODUCES[operation.produces],
    schemes: ["https"],
    tags: [tagOf(operation.served)],
    operationId: operation.operationId,
    ...(parameters.length > 0 && { parameters }),
    responses: { ...Object.fromEntries(answers), 401: { description: "Unauthorized" } },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": {
      group: operation.gvk.group,
      version: operation.gvk.version,
      kind: operation.gvk.kind,
    },
  };
}

export const STATUS_TEXTS: Readonly<Record<string, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };
