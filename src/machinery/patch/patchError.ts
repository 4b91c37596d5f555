/** What a patch that cannot be applied answers. Source: apiserver endpoints/handlers/patch.go, mergepatch/errors.go. */
import { ApiError } from "../errors.ts";

export const badPatch = (message: string, cause?: unknown): ApiError => new ApiError("BadRequest", message, { cause });

/** A well-formed patch that does not fit the object. Source: errors.NewGenericServerResponse for 422. */
export const unprocessablePatch = (cause: unknown): ApiError =>
  new ApiError("Invalid", "the server rejected our request due to an error in our request", { cause, details: {} });

/** Upstream passes these on as they are, which makes them a 500. */
export const failedPatch = (message: string): ApiError => new ApiError("", message, { code: 500 });

export type Json = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A deep copy of plain JSON, safe for a key "__proto__". */
export function jsonCopy<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(jsonCopy) as T;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setOwn(copy, key, jsonCopy((value as Json)[key]));
  return copy as T;
}

export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
