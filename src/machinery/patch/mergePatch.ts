/** JSON merge patches (RFC 7386), `application/merge-patch+json`. */
import { badPatch, isJsonObject, type Json, setOwn } from "./patchError.ts";

/** Gives a new document that shares what the patch does not touch. Throws ApiError 400 for a patch that is no object. */
export function applyMergePatch<T>(document: T, patch: unknown): T {
  if (!isJsonObject(patch)) throw badPatch("Invalid JSON Patch");
  return merged(document, patch) as T;
}

function merged(target: unknown, patch: Json): Json {
  const result: Record<string, unknown> = isJsonObject(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete result[key];
    else setOwn(result, key, isJsonObject(value) ? merged(own(result, key), value) : value);
  }
  return result;
}

const own = (target: Json, key: string): unknown => (Object.hasOwn(target, key) ? target[key] : undefined);

/** The merge patch that turns `from` into `to`. */
export function mergePatchBetween(from: Json, to: Json): Json {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from)) if (to[key] === undefined) patch[key] = null;
  for (const key of Object.keys(to)) {
    const before = own(from, key);
    const after = to[key];
    if (isJsonObject(before) && isJsonObject(after)) {
      const inner = mergePatchBetween(before, after);
      if (Object.keys(inner).length > 0) setOwn(patch, key, inner);
    } else if (after !== undefined && JSON.stringify(before) !== JSON.stringify(after)) setOwn(patch, key, after);
  }
  return patch;
}
