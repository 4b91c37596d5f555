/** OpenAPI 3: one document per group and version. */
import type { AnyKind } from "../../machinery/defineKind.ts";
import { consumes, PRODUCES, STATUS_TEXTS } from "./mediaTypes.ts";
import { type Operation, tagOf } from "./operations.ts";
import { PARAMETERS } from "./parameters.ts";
import { extensionsOf, pathsOf } from "./paths.ts";
import { type Descriptions, type JsonSchema, type OpenApiTable, typeSchemas } from "./typeSchemas.ts";

const parameter = (name: string, place: "path" | "query", description: string): JsonSchema => ({
  name,
  in: place,
  description,
  ...(place === "path" && { required: true }),
  schema: { type: PARAMETERS[name]?.type ?? "string", uniqueItems: true },
});

const content = (media: readonly string[], schema: JsonSchema) =>
  Object.fromEntries(media.map((type) => [type, { schema }]));

/** @param kinds those of one group and version */
export function openApiVersion3(
  kinds: readonly AnyKind[],
  table: OpenApiTable,
  descriptions: Descriptions,
  version: string,
): JsonSchema {
  const schemas = typeSchemas(table, descriptions, {
    refPrefix: "#/components/schemas/",
    isV3: true,
    groupVersion: kinds[0] === undefined ? "" : `${kinds[0].group}/${kinds[0].version}`,
  });
  const paths = pathsOf(kinds, {
    pathParameter: (name, description) => parameter(name, "path", description),
    operation: (operation) => render(operation, schemas.reference),
  });
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version },
    paths,
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
      content: content(PRODUCES[produces], type === "string" ? { type } : reference(type)),
    },
  ]);
  return {
    tags: [tagOf(operation.served)],
    description: operation.description,
    operationId: operation.operationId,
    parameters: operation.query.map((name) => parameter(name, "query", PARAMETERS[name]?.description ?? "")),
    ...(body !== undefined && {
      requestBody: {
        ...(body.required && { required: true }),
        content: content(consumes(operation), reference(body.type)),
      },
    }),
    responses: { ...Object.fromEntries(answers), 401: { description: "Unauthorized" } },
    ...extensionsOf(operation),
  };
}
