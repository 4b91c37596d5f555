/**
 * The OpenAPI 2 document in protobuf, which kubectl up to 1.26 asks for. Message numbers are those of gnostic's
 * OpenAPIv2.proto; a test reads the bytes back with them.
 */
import { bytesField, varintField } from "../../machinery/protobuf/wire.ts";
import type { JsonSchema } from "./typeSchemas.ts";

type Chunks = Uint8Array[];

const text = (number: number, value: string | undefined): Chunks =>
  value === undefined ? [] : bytesField(number, Buffer.from(value));
const texts = (number: number, values: readonly string[] | undefined): Chunks =>
  (values ?? []).flatMap((value) => text(number, value));
const flag = (number: number, value: boolean | undefined): Chunks => (value === true ? varintField(number, 1n) : []);
const message = (number: number, chunks: Chunks): Chunks => bytesField(number, Buffer.concat(chunks));

/** NamedX: name = 1, value = 2. */
const named = (number: number, name: string, value: Chunks): Chunks =>
  message(number, [...text(1, name), ...message(2, value)]);

/** Extensions are YAML text within `Any`: value = 1 unused, yaml = 2. JSON is YAML. */
const extensions = (number: number, node: JsonSchema): Chunks =>
  Object.entries(node)
    .filter(([key]) => key.startsWith("x-"))
    .flatMap(([key, value]) => named(number, key, text(2, `${JSON.stringify(value)}\n`)));

function schema(node: JsonSchema): Chunks {
  const { additionalProperties, items, properties } = node;
  return [
    ...text(1, node.$ref),
    ...text(2, node.format),
    ...text(4, node.description),
    ...texts(19, node.required),
    ...(additionalProperties === undefined ? [] : message(21, message(1, schema(additionalProperties)))),
    ...(node.type === undefined ? [] : message(22, text(1, node.type))),
    ...(items === undefined ? [] : message(23, message(1, schema(items)))),
    ...(properties === undefined
      ? []
      : message(
          25,
          Object.entries(properties).flatMap(([name, value]) => named(1, name, schema(value as JsonSchema))),
        )),
    ...extensions(31, node),
  ];
}

function parameter(node: JsonSchema): Chunks {
  if (node.in === "body") {
    const body = [
      ...text(2, node.name),
      ...text(3, node.in),
      ...flag(4, node.required),
      ...message(5, schema(node.schema)),
    ];
    return message(1, message(1, body));
  }
  const isPath = node.in === "path";
  const fields = [
    ...flag(1, node.required),
    ...text(2, node.in),
    ...text(3, node.description),
    ...text(4, node.name),
    ...text(isPath ? 5 : 6, node.type),
  ];
  return message(1, message(2, message(isPath ? 4 : 3, fields)));
}

const response = (node: JsonSchema): Chunks =>
  message(1, [
    ...text(1, node.description),
    ...(node.schema === undefined ? [] : message(2, message(1, schema(node.schema)))),
  ]);

const operation = (node: JsonSchema): Chunks => [
  ...texts(1, node.tags),
  ...text(3, node.description),
  ...text(5, node.operationId),
  ...texts(6, node.produces),
  ...texts(7, node.consumes),
  ...((node.parameters ?? []) as JsonSchema[]).flatMap((one) => message(8, parameter(one))),
  ...message(
    9,
    Object.entries(node.responses as Record<string, JsonSchema>).flatMap(([status, one]) =>
      named(1, status, response(one)),
    ),
  ),
  ...texts(10, node.schemes),
  ...extensions(13, node),
];

const METHOD_NUMBERS: Readonly<Record<string, number>> = {
  get: 2,
  put: 3,
  post: 4,
  delete: 5,
  options: 6,
  head: 7,
  patch: 8,
};

const pathItem = (node: JsonSchema): Chunks => [
  ...Object.entries(METHOD_NUMBERS).flatMap(([method, number]) =>
    node[method] === undefined ? [] : message(number, operation(node[method])),
  ),
  ...((node.parameters ?? []) as JsonSchema[]).flatMap((one) => message(9, parameter(one))),
];

/** @param document as `openApiVersion2` makes it */
export function gnosticDocument(document: JsonSchema): Uint8Array {
  const paths = Object.entries(document.paths as Record<string, JsonSchema>);
  const definitions = Object.entries(document.definitions as Record<string, JsonSchema>);
  return Buffer.concat([
    ...text(1, document.swagger),
    ...message(2, [...text(1, document.info.title), ...text(2, document.info.version)]),
    ...message(
      8,
      paths.flatMap(([path, node]) => named(2, path, pathItem(node))),
    ),
    ...message(
      9,
      definitions.flatMap(([name, node]) => named(1, name, schema(node))),
    ),
  ]);
}
