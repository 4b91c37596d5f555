/** From bodies to objects. A further media type is one more entry in `parsers`. */
import { parse as parseYaml } from "yaml";
import {
  checkFieldValidation,
  decodeObject,
  duplicateKeys,
  emptyObject,
  type FieldValidation,
} from "../machinery/decode.ts";
import type { AnyKind } from "../machinery/defineKind.ts";
import { ApiError } from "../machinery/errors.ts";
import { apiVersionOf, type KubeObject } from "../machinery/object.ts";
import type { ApiRequest } from "../machinery/requests.ts";
import type { Schemas, StructSchema } from "../machinery/schema.ts";
import { badRequest } from "./errors.ts";
import { protobufParser } from "./protobufParser.ts";

export interface Decoded<T = KubeObject> {
  readonly object: T;
  readonly warnings: readonly string[];
}

export type DecodedAs = Pick<AnyKind, "group" | "version" | "kind" | "type">;

/** Turns the bytes of one media type into a plain value. */
export interface Parser {
  readonly mediaType: string;
  readonly parse: (bytes: Uint8Array) => Parsed;
}

export interface Parsed {
  readonly value: unknown;
  /** Keys that the text gave twice. */
  readonly duplicates: () => readonly string[];
}

export interface Codecs {
  /** A body as an object of `kind`: copied, checked against the schema. @throws ApiError 400, 415 */
  decode(request: ApiRequest, kind: DecodedAs, validation: FieldValidation): Decoded;
  /** A value that is already parsed, such as the result of a patch. @throws ApiError 400 */
  decodeValue(value: unknown, kind: DecodedAs, validation: FieldValidation): Decoded;
  /** A body as it is; undefined where there is none. @throws ApiError 400, 415 */
  parse(request: ApiRequest): Parsed | undefined;
  schemaOf(kind: DecodedAs): StructSchema;
  /** With the parts that Go always writes, such as an empty status that a strategy has dropped. */
  whole(object: KubeObject, kind: DecodedAs): KubeObject;
}

const noDuplicates = () => [];

const parseJsonText = (text: string): Parsed => {
  try {
    return { value: JSON.parse(text), duplicates: () => duplicateKeys(text) };
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
};

export const jsonParser: Parser = {
  mediaType: "application/json",
  parse: (bytes) => parseJsonText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()),
};

export const yamlParser: Parser = {
  mediaType: "application/yaml",
  parse: (bytes) => {
    try {
      return { value: parseYaml(Buffer.from(bytes).toString(), { uniqueKeys: false }), duplicates: noDuplicates };
    } catch (error) {
      throw badRequest(`error converting YAML to JSON: ${(error as Error).message}`);
    }
  },
};

/** Source: apiserver negotiation NewUnsupportedMediaTypeError. */
export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );

export function createCodecs(
  schemas: Schemas,
  parsers: readonly Parser[] = [jsonParser, yamlParser, protobufParser(schemas)],
): Codecs {
  const byType = new Map(parsers.map((parser) => [parser.mediaType, parser]));

  function parse({ body, headers }: ApiRequest): Parsed | undefined {
    if (body === undefined) return undefined;
    if (!(body instanceof Uint8Array)) return { value: body, duplicates: noDuplicates };
    if (body.length === 0) return undefined;
    const mediaType = (headers?.["content-type"] ?? "application/json").split(";")[0]?.trim() ?? "";
    const parser = byType.get(mediaType);
    if (parser === undefined) throw unsupportedMediaType([...byType.keys()]);
    return parser.parse(body);
  }

  const schemaOf = (kind: DecodedAs) => schemas.type(kind.type);

  function whole(object: KubeObject, kind: DecodedAs): KubeObject {
    const present = object as unknown as Readonly<Record<string, unknown>>;
    const { always } = schemaOf(kind);
    if (always.every(({ name }) => present[name] !== undefined)) return object;
    const empty = emptyObject(schemaOf(kind));
    const missing = always.filter(({ name }) => present[name] === undefined && empty[name] !== undefined);
    return { ...object, ...Object.fromEntries(missing.map(({ name }) => [name, empty[name]])) };
  }

  function decodeParsed({ value, duplicates }: Parsed, kind: DecodedAs, validation: FieldValidation): Decoded {
    checkKind(value, kind);
    const { object, unknownFields } = decodeObject(value, { schema: schemaOf(kind), kind });
    const problems = validation === "Ignore" ? [] : [...duplicates(), ...unknownFields];
    const warnings = checkFieldValidation(validation, problems, kind);
    return { object: { ...object, kind: kind.kind, apiVersion: apiVersionOf(kind) }, warnings };
  }

  return {
    parse,
    schemaOf,
    whole,
    decodeValue: (value, kind, validation) => decodeParsed({ value, duplicates: noDuplicates }, kind, validation),
    decode: (request, kind, validation) =>
      decodeParsed(parse(request) ?? { value: {}, duplicates: noDuplicates }, kind, validation),
  };
}

/** Left out, kind and version are those that the path stands for. Source: handlers create.go, transformDecodeError. */
function checkKind(value: unknown, expected: DecodedAs): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest(
      "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct",
    );
  }
  const { apiVersion = "", kind = "" } = value as { apiVersion?: unknown; kind?: unknown };
  const wanted = apiVersionOf(expected);
  if (apiVersion !== "" && apiVersion !== wanted) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${wanted})`,
    );
  }
  if (kind !== "" && kind !== expected.kind) {
    throw badRequest(
      `${String(kind)} in version ${JSON.stringify(expected.version)} cannot be handled as a ${expected.kind}: converting (${expected.version}.${String(kind)}) to (${expected.kind}): unknown conversion`,
    );
  }
}
