/** The OpenAPI 2 ("swagger") document of everything that is served. */
import type { AnyKind } from "../../machinery/defineKind.ts";
import { consumes, PRODUCES, STATUS_TEXTS } from "./mediaTypes.ts";
import { type Operation, tagOf } from "./operations.ts";
import { PARAMETERS } from "./parameters.ts";
import { extensionsOf, pathsOf } from "./paths.ts";
import { type Descriptions, type JsonSchema, type OpenApiTable, typeSchemas } from "./typeSchemas.ts";

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

export function openApiVersion2(
  kinds: readonly AnyKind[],
  table: OpenApiTable,
  descriptions: Descriptions,
  version: string,
): JsonSchema {
  const schemas = typeSchemas(table, descriptions, { refPrefix: "#/definitions/", isV3: false });
  const paths = pathsOf(kinds, { pathParameter, operation: (operation) => render(operation, schemas.reference) });
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version },
    paths,
    definitions: schemas.definitions(),
    securityDefinitions: {
      BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" },
    },
    security: [{ BearerToken: [] }],
  };
}

function render(operation: Operation, reference: (type: string) => JsonSchema): JsonSchema {
  const { body, responses } = operation;
  const bodyParameters =
    body === undefined
      ? []
      : [{ name: "body", in: "body", ...(body.required && { required: true }), schema: reference(body.type) }];
  const parameters = [...bodyParameters, ...operation.query.map(queryParameter)];
  const answers = Object.entries(responses).map(([status, type]) => [
    status,
    { description: STATUS_TEXTS[status] ?? "OK", schema: type === "string" ? { type } : reference(type) },
  ]);
  return {
    description: operation.description,
    consumes: consumes(operation),
    produces: PRODUCES[operation.produces],
    schemes: ["https"],
    tags: [tagOf(operation.served)],
    operationId: operation.operationId,
    ...(parameters.length > 0 && { parameters }),
    responses: { ...Object.fromEntries(answers), 401: { description: "Unauthorized" } },
    ...extensionsOf(operation),
  };
}
