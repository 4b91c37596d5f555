/** Errors that more than one part of the API server gives. Texts are upstream's. Source: apimachinery api/errors. */
import { ApiError, type ResourceRef } from "../machinery/errors.ts";

export const badRequest = (message: string): ApiError => new ApiError("BadRequest", message);

export const internalError = (cause: unknown): ApiError =>
  new ApiError("InternalError", `Internal error occurred: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
    details: { causes: [{ message: cause instanceof Error ? cause.message : String(cause) }] },
  });

/** Source: NewResourceExpired. */
export const expired = (message: string, cause?: unknown, continueToken?: string): ApiError =>
  new ApiError("Expired", message, { cause, ...(continueToken !== undefined && { continueToken }) });

/** Source: NewMethodNotSupported. */
export const methodNotSupported = ({ group, resource }: ResourceRef, action: string): ApiError =>
  new ApiError(
    "MethodNotAllowed",
    `${action} is not supported on resources of kind "${group === "" ? resource : `${resource}.${group}`}"`,
    { details: { ...(group !== "" && { group }), kind: resource } },
  );

/** Source: NewGenericServerResponse for a 404 without a body. */
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
