/** What a patch says, before anybody knows what it is for. Source: apiserver endpoints/handlers/patch.go. */
import { parse as parseYaml } from "yaml";
import { duplicateKeys } from "../../machinery/decode.ts";
import { goJsonError, goJsonObjectError } from "../../machinery/goJsonError.ts";
import type { ApiRequest } from "../../machinery/requests.ts";
import { unsupportedMediaType } from "../codecs.ts";
import { badRequest } from "../errors.ts";
import { yamlFaults } from "../yamlFaults.ts";

export type PatchType = "json" | "merge" | "strategic" | "apply";

const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** @throws ApiError 415 */
export function patchTypeOf({ headers }: ApiRequest): PatchType {
  const mediaType = (headers?.["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  const type = Object.hasOwn(PATCH_TYPES, mediaType) ? PATCH_TYPES[mediaType] : undefined;
  if (type === undefined) throw unsupportedMediaType(Object.keys(PATCH_TYPES));
  return type;
}

export interface PatchBody {
  readonly value: unknown;
  /** What a strict reading finds fault with in the text itself. */
  readonly problems: readonly string[];
}

/** @throws ApiError 400 */
export function patchBody({ body }: ApiRequest, type: PatchType): PatchBody {
  if (body !== undefined && !(body instanceof Uint8Array)) {
    return { value: body, problems: type === "json" ? operationProblems(body) : [] };
  }
  const bytes = Buffer.from(body ?? []);
  return type === "apply" ? yamlBody(bytes.toString()) : jsonBody(bytes, type);
}

/** What programs send is JSON, which is read much faster as that. */
function yamlBody(text: string): PatchBody {
  const json = text.startsWith("{") ? parsedJson(text) : undefined;
  if (json !== undefined && duplicateKeys(text).length === 0) return { value: json, problems: [] };
  const { syntax, duplicates } = yamlFaults(text);
  if (syntax !== undefined) throw badRequest(`error decoding patch: ${NOT_YAML} yaml: ${syntax}`);
  const problems = duplicates.map((fault) => `${NOT_YAML} ${fault}`);
  return { value: parseYaml(text, { uniqueKeys: false }), problems };
}

const NOT_YAML = "error converting YAML to JSON:";

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function jsonBody(bytes: Buffer, type: PatchType): PatchBody {
  const fault = type === "json" ? operationsError(bytes) : goJsonObjectError(bytes);
  if (fault !== undefined) throw badRequest(type === "strategic" ? fault : `error decoding patch: ${fault}`);
  const text = bytes.toString();
  const value: unknown = JSON.parse(text);
  const duplicates = duplicateKeys(text);
  if (type !== "json") return { value, problems: duplicates };
  return { value, problems: [...duplicates.map(ofPatch), ...operationProblems(value)] };
}

const ofPatch = (problem: string) => `json patch ${problem}`;

const OPERATION_FIELDS = new Set(["op", "path", "from", "value"]);

const operationProblems = (operations: unknown): readonly string[] =>
  (Array.isArray(operations) ? operations : []).flatMap((operation, index) =>
    Object.keys(operation ?? {})
      .filter((field) => !OPERATION_FIELDS.has(field))
      .map((field) => ofPatch(`unknown field ${JSON.stringify(`[${index}].${field}`)}`)),
  );

function operationsError(bytes: Buffer): string | undefined {
  const fault = goJsonError(bytes);
  if (fault !== undefined) return fault;
  const value: unknown = JSON.parse(bytes.toString());
  if (!Array.isArray(value))
    return `json: cannot unmarshal ${goKind(value)} into Go value of type []handlers.jsonPatchOp`;
  const wrong = value.find((operation) => goKind(operation) !== "object");
  return wrong === undefined
    ? undefined
    : `json: cannot unmarshal ${goKind(wrong)} into Go value of type handlers.jsonPatchOp`;
}

const goKind = (value: unknown): string =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
