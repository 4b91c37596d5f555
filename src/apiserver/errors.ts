/** Errors that more than one part of the API server gives. Texts are upstream's. Source: apimachinery api/errors. */
import { ApiError } from "../machinery/errors.ts";
import type { ApiResponse } from "../machinery/requests.ts";

export const badRequest = (message: string): ApiError => new ApiError("BadRequest", message);

export const internalError = (cause: unknown): ApiError =>
  new ApiError("InternalError", `Internal error occurred: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
    details: { causes: [{ message: cause instanceof Error ? cause.message : String(cause) }] },
  });

/** Source: NewResourceExpired. */
export const expired = (message: string, cause?: unknown, continueToken?: string): ApiError =>
  new ApiError("Expired", message, { cause, ...(continueToken !== undefined && { continueToken }) });

/** Source: NewGenericServerResponse for a 405, as go-restful gives it. */
export const methodNotAllowed = (): ApiError =>
  new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource", { details: {} });

/** Below the path of a group that is served. Source: NewGenericServerResponse for a 404. */
export const pathNotFound = (): ApiError =>
  new ApiError("NotFound", "the server could not find the requested resource", { details: {} });

/** Source: NewTooLargeResourceVersionError of storage/errors.go. */
export const tooLargeResourceVersion = (wanted: number, current: number): ApiError =>
  new ApiError("Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });

/** Source: net/http NotFound. */
export const pageNotFound: ApiResponse = {
  type: "bytes",
  status: 404,
  contentType: "text/plain; charset=utf-8",
  headers: { "x-content-type-options": "nosniff" },
  bytes: Buffer.from("404 page not found\n"),
};
