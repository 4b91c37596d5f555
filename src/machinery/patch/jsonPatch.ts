/** JSON patches (RFC 6902), `application/json-patch+json`. */
import { applyPatch, type Operation, Pointer } from "rfc6902";
import { ApiError } from "../errors.ts";
import { badPatch, isJsonObject, jsonCopy, unprocessablePatch } from "./patchError.ts";

/** Source: apiserver endpoints/handlers/patch.go maxJSONPatchOperations. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;

const OPERATIONS = new Set(["add", "remove", "replace", "move", "copy", "test"]);

const isOperation = (value: unknown): value is Operation =>
  isJsonObject(value) && typeof value.op === "string" && typeof value.path === "string";

/** Gives a new document; the given one is not touched. Throws ApiError: 400, 413 or 422. */
export function applyJsonPatch<T>(document: T, patch: unknown): T {
  if (!Array.isArray(patch) || !patch.every(isJsonObject)) {
    throw badPatch(
      `json: cannot unmarshal ${Array.isArray(patch) ? "value" : typeof patch} into Go value of type jsonpatch.Patch`,
    );
  }
  if (patch.length > JSON_PATCH_OPERATIONS_MAX) {
    const limit = `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${patch.length}`;
    throw new ApiError("RequestEntityTooLarge", `Request entity too large: ${limit}`);
  }
  const holder = { document: jsonCopy(document) };
  for (const operation of patch) applyOne(holder, operation);
  return holder.document;
}

/** Stops at the first that fails, so that nothing after it is looked at. */
function applyOne(holder: { document: unknown }, operation: unknown): void {
  if (!isOperation(operation) || !OPERATIONS.has(operation.op)) {
    throw unprocessablePatch(new Error(`Unexpected kind: ${isJsonObject(operation) ? operation.op : "unknown"}`));
  }
  try {
    const [error] = applyPatch(holder, [asUpstreamMeans(holder, underDocument(operation))]);
    if (error !== null && error !== undefined) throw error;
  } catch (error) {
    throw unprocessablePatch(error);
  }
}

/**
 * Upstream's library adds what is to be replaced in an object that lacks it, against RFC 6902, and clients rely on it.
 * Source: evanphx/json-patch v4, partialDoc.get.
 */
function asUpstreamMeans(holder: { document: unknown }, operation: Operation): Operation {
  if (operation.op !== "replace") return operation;
  const { parent, value } = Pointer.fromJSON(operation.path).evaluate(holder);
  return value === undefined && isJsonObject(parent) ? { ...operation, op: "add" } : operation;
}

/** The library cannot replace the root, so the document is held by one more object. */
function underDocument(operation: Operation): Operation {
  const from = "from" in operation ? { from: `/document${operation.from}` } : {};
  return { ...operation, path: `/document${operation.path}`, ...from };
}
