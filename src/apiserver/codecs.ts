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
import { ApiError, isApiError } from "../machinery/errors.ts";
import { goJsonDepthError, goJsonSyntaxError } from "../machinery/goJsonError.ts";
import { apiVersionOf, type KubeObject } from "../machinery/object.ts";
import type { ApiRequest } from "../machinery/requests.ts";
import type { Schemas, StructSchema } from "../machinery/schema.ts";
import { badRequest } from "./errors.ts";
import { createProtobufOutput, type ProtobufOutput } from "./output/protobuf.ts";
import type { Parsed, Parser } from "./parser.ts";
import { protobufParser } from "./protobufParser.ts";
import { duplicateYamlKeys, yamlWarnings } from "./yamlFaults.ts";

export interface Decoded<T = KubeObject> {
  readonly object: T;
  readonly warnings: readonly string[];
}

export type DecodedAs = Pick<AnyKind, "group" | "version" | "kind" | "type">;

export interface Codecs {
  /** A body as an object of `kind`: copied, checked against the schema. @throws ApiError 400, 415 */
  decode(request: ApiRequest, kind: DecodedAs, validation: FieldValidation): Decoded;
  /** A value that is already parsed, such as the result of a patch, whose text had `duplicates`. @throws ApiError 400 */
  decodeValue(value: unknown, kind: DecodedAs, validation: FieldValidation, duplicates?: readonly string[]): Decoded;
  /** A body as it is; undefined where there is none. @throws ApiError 400, 415 */
  parse(request: ApiRequest): Parsed | undefined;
  schemaOf(kind: DecodedAs): StructSchema;
  readonly protobuf: ProtobufOutput;
  /** With the parts that Go always writes, such as an empty status that a strategy has dropped. */
  whole(object: KubeObject, kind: DecodedAs): KubeObject;
}

const noDuplicates = () => [];

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength);

export const jsonParser: Parser = {
  mediaType: "application/json",
  parse: (bytes) => {
    const buffer = bufferOf(bytes);
    const text = buffer.toString();
    const depthFault = goJsonDepthError(buffer);
    if (depthFault !== undefined) throw badJson(depthFault);
    try {
      return { value: JSON.parse(text), duplicates: () => duplicateKeys(text) };
    } catch (error) {
      throw badJson(goJsonSyntaxError(buffer) ?? (error as Error).message);
    }
  },
};

const badJson = (fault: string) => badRequest(`couldn't get version/kind; json parse error: ${fault}`);

export const yamlParser: Parser = {
  mediaType: "application/yaml",
  parse: (bytes) => {
    try {
      const text = bufferOf(bytes).toString();
      return { value: parseYaml(text, { uniqueKeys: false }), duplicates: () => duplicateYamlKeys(text) };
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

  function parseAs(kind: DecodedAs, request: ApiRequest): Parsed {
    try {
      const parsed = parse(request);
      if (parsed === undefined) throw badJson("unexpected end of JSON input");
      if (!isObject(parsed.value))
        throw badJson(`json: cannot unmarshal ${goKind(parsed.value)} into Go value of ${HEAD}`);
      return { ...parsed, value: parsed.value ?? {} };
    } catch (error) {
      if (!isApiError(error, "BadRequest")) throw error;
      const body = request.body instanceof Uint8Array ? bufferOf(request.body) : Buffer.alloc(0);
      const what = `the object provided is unrecognized (must be of type ${kind.kind})`;
      throw badRequest(`${what}: ${error.message} (${summaryOf(body)})`);
    }
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
    const warnings = checkFieldValidation(validation, problems, kind).flatMap(yamlWarnings);
    return { object: { ...object, kind: kind.kind, apiVersion: apiVersionOf(kind) }, warnings };
  }

  return {
    parse,
    protobuf: createProtobufOutput(schemas),
    schemaOf,
    whole,
    decodeValue: (value, kind, validation, duplicates = []) =>
      decodeParsed({ value, duplicates: () => duplicates }, kind, validation),
    decode: (request, kind, validation) => decodeParsed(parseAs(kind, request), kind, validation),
  };
}

/** Left out, kind and version are those that the path stands for. Source: handlers create.go, transformDecodeError. */
function checkKind(value: unknown, expected: DecodedAs): void {
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

const isObject = (value: unknown): boolean => typeof value === "object" && !Array.isArray(value);

const goKind = (value: unknown): string =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

/** What is read first of any body. Source: apimachinery serializer/json meta.go. */
const HEAD = String.raw`type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

/** Source: endpoints/handlers rest.go, summarizeData and its limit. */
const SUMMARY_BYTES_MAX = 30;

/** The beginning of a body as an error shows it. */
function summaryOf(body: Buffer): string {
  if (body.length === 0) return "<empty>";
  const begin = body.subarray(0, SUMMARY_BYTES_MAX).toString(body[0] === 0x7b ? "utf8" : "hex");
  return body.length > SUMMARY_BYTES_MAX ? `${begin} ...` : begin;
}
