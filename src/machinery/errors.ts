/** The one error that the API speaks: a `Status` object. Texts that clients match on are upstream's, to the letter. */

/** Source: apimachinery meta/v1 `StatusReason` and the constructors of api/errors. */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServerTimeout: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof STATUS_CODES;

/** One cause in `status.details.causes`. Source: apimachinery meta/v1 `CauseType`. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** metav1.Status as sent on the wire. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

export class ApiError extends Error {
  readonly reason: StatusReason | "";
  readonly code: number;
  readonly details: StatusDetails | undefined;
  /** How to go on with a list whose first page is too old (410). */
  readonly continueToken: string | undefined;

  constructor(
    reason: StatusReason | "",
    message: string,
    options: { cause?: unknown; details?: StatusDetails; code?: number; continueToken?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ApiError";
    this.reason = reason;
    this.code = options.code ?? (reason === "" ? 500 : STATUS_CODES[reason]);
    this.details = options.details;
    this.continueToken = options.continueToken;
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: "Failure",
      message: this.message,
      ...(this.reason !== "" && { reason: this.reason }),
      ...(this.details !== undefined && { details: this.details }),
      code: this.code,
    };
  }

  /** Rebuilds the error from a `Status` that a server sent. */
  static fromStatus(status: Partial<Status>, httpStatus: number): ApiError {
    return new ApiError((status.reason ?? "") as StatusReason, status.message ?? `HTTP ${httpStatus}`, {
      code: status.code ?? httpStatus,
      ...(status.details !== undefined && { details: status.details }),
      ...(status.metadata?.continue !== undefined && { continueToken: status.metadata.continue }),
    });
  }
}

export const isApiError = (error: unknown, reason?: StatusReason): error is ApiError =>
  error instanceof ApiError && (reason === undefined || error.reason === reason);

export interface ResourceRef {
  readonly group: string;
  /** Plural, lower case. */
  readonly resource: string;
}

/** "deployments.apps", or "pods" for the core group. Source: schema.GroupResource.String. */
export const qualifiedResource = ({ group, resource }: ResourceRef): string =>
  group === "" ? resource : `${resource}.${group}`;

const detailsOf = (ref: ResourceRef, name: string): StatusDetails => ({
  ...(name !== "" && { name }),
  ...(ref.group !== "" && { group: ref.group }),
  kind: ref.resource,
});

/** Source: api/errors NewNotFound. */
export const notFound = (ref: ResourceRef, name: string): ApiError =>
  new ApiError("NotFound", `${qualifiedResource(ref)} "${name}" not found`, { details: detailsOf(ref, name) });

/** Source: api/errors NewAlreadyExists. */
export const alreadyExists = (ref: ResourceRef, name: string): ApiError =>
  new ApiError("AlreadyExists", `${qualifiedResource(ref)} "${name}" already exists`, {
    details: detailsOf(ref, name),
  });

/** Source: api/errors NewConflict. */
export const conflict = (ref: ResourceRef, name: string, reason: string): ApiError =>
  new ApiError("Conflict", `Operation cannot be fulfilled on ${qualifiedResource(ref)} "${name}": ${reason}`, {
    details: detailsOf(ref, name),
  });

/** Source: api/errors NewForbidden. */
export const forbidden = (ref: ResourceRef, name: string, reason: string): ApiError =>
  new ApiError(
    "Forbidden",
    name === ""
      ? `${qualifiedResource(ref)} is forbidden: ${reason}`
      : `${qualifiedResource(ref)} "${name}" is forbidden: ${reason}`,
    { details: detailsOf(ref, name) },
  );
