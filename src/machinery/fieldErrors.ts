/** Validation errors of single fields, worded as upstream. Source: apimachinery util/validation/field/errors.go. */
import { ApiError } from "./errors.ts";

export type FieldErrorType =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueDuplicate"
  | "FieldValueNotFound"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid"
  | "InternalError";

export interface FieldError {
  readonly type: FieldErrorType;
  /** "spec.containers[0].name" */
  readonly field: string;
  /** Without the field: `Required value: must be set`. */
  readonly body: string;
}

/** A path into an object. "" is the object itself. `at("spec").key("a")` is `spec[a]`, `.index(0)` is `[0]`. */
export class FieldPath {
  readonly text: string;
  constructor(text = "") {
    this.text = text;
  }
  at(...names: string[]): FieldPath {
    const tail = names.length === 1 ? (names[0] as string) : names.join(".");
    return new FieldPath(this.text === "" ? tail : `${this.text}.${tail}`);
  }
  index(index: number): FieldPath {
    return new FieldPath(`${this.text}[${index}]`);
  }
  key(key: string): FieldPath {
    return new FieldPath(`${this.text}[${key}]`);
  }
  toString(): string {
    return this.text;
  }
}

export const root = new FieldPath();

/** As Go prints the offending value: strings quoted, objects as JSON. Source: field.Error.ErrorBody. */
function printed(value: unknown): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const make =
  (type: FieldErrorType) =>
  (path: FieldPath, body: string): FieldError => ({ type, field: path.text, body });

const withDetail = (head: string, detail: string) => (detail === "" ? head : `${head}: ${detail}`);

export const required = (path: FieldPath, detail = ""): FieldError =>
  make("FieldValueRequired")(path, withDetail("Required value", detail));
export const invalid = (path: FieldPath, value: unknown, detail = ""): FieldError =>
  make("FieldValueInvalid")(path, withDetail(`Invalid value: ${printed(value)}`, detail));
export const typeInvalid = (path: FieldPath, value: unknown, detail = ""): FieldError =>
  make("FieldValueTypeInvalid")(path, withDetail(`Invalid value: ${printed(value)}`, detail));
/** The supported values stand in the order given; most callers give them sorted, as upstream's sets list them. */
export const notSupported = (path: FieldPath, value: unknown, supported: readonly string[]): FieldError =>
  make("FieldValueNotSupported")(
    path,
    withDetail(
      `Unsupported value: ${printed(value)}`,
      supported.length === 0 ? "" : `supported values: ${supported.map((one) => JSON.stringify(one)).join(", ")}`,
    ),
  );
export const forbiddenField = (path: FieldPath, detail: string): FieldError =>
  make("FieldValueForbidden")(path, withDetail("Forbidden", detail));
export const duplicate = (path: FieldPath, value: unknown): FieldError =>
  make("FieldValueDuplicate")(path, `Duplicate value: ${printed(value)}`);
export const fieldNotFound = (path: FieldPath, value: unknown, detail = ""): FieldError =>
  make("FieldValueNotFound")(path, withDetail(`Not found: ${printed(value)}`, detail));
/** The value itself is not shown. Source: field.TooLong. */
export const tooLong = (path: FieldPath, lengthMax: number): FieldError =>
  make("FieldValueTooLong")(path, `Too long: may not be more than ${lengthMax} byte${lengthMax === 1 ? "" : "s"}`);
export const tooMany = (path: FieldPath, actual: number, countMax: number): FieldError =>
  make("FieldValueTooMany")(
    path,
    `Too many: ${actual}: must have at most ${countMax} item${countMax === 1 ? "" : "s"}`,
  );

export const internalFieldError = (path: FieldPath, detail: string): FieldError =>
  make("InternalError")(path, withDetail("Internal error", detail));

export const errorText = (error: FieldError): string =>
  error.field === "" ? error.body : `${error.field}: ${error.body}`;

/**
 * The 422 for an object that failed validation.
 * Source: api/errors NewInvalid; several errors are joined as utilerrors.Aggregate does.
 */
export function invalidObject(
  { group, kind }: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const qualifiedKind = group === "" ? kind : `${kind}.${group}`;
  const texts = [...new Set(errors.map(errorText))];
  const joined = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new ApiError("Invalid", `${qualifiedKind} "${name}" is invalid: ${joined}`, {
    details: {
      ...(name !== "" && { name }),
      ...(group !== "" && { group }),
      ...(kind !== "" && { kind }),
      causes: errors.map(({ type, field, body }) => ({ reason: type, message: body, field })),
    },
  });
}
