/** What becomes of unknown and duplicate fields: an error, warnings, or nothing. */
import { cannotBeHandled, type DecodedKind } from "./decodeError.ts";
import { ApiError } from "./errors.ts";

/** Source: metav1 FieldValidation*. The server's default is Warn; kubectl asks for Strict. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** Reads the query parameter; throws the 422 that upstream gives for another value. */
export function parseFieldValidation(parameter: string | null | undefined): FieldValidation {
  if (parameter === undefined || parameter === null || parameter === "") return "Warn";
  if (parameter === "Strict" || parameter === "Warn" || parameter === "Ignore") return parameter;
  const body = `Unsupported value: ${JSON.stringify(parameter)}: supported values: "", "Ignore", "Strict", "Warn"`;
  throw new ApiError("Invalid", `CreateOptions.meta.k8s.io "" is invalid: fieldValidation: ${body}`, {
    details: {
      group: "meta.k8s.io",
      kind: "CreateOptions",
      causes: [{ reason: "FieldValueNotSupported", message: body, field: "fieldValidation" }],
    },
  });
}

/** What is found beyond these is not told. Source: sigs.k8s.io/json kubernetes_patch.go, saveStrictError. */
const PROBLEMS_MAX = 100;

/**
 * Gives the warnings to send; throws a BadRequest for Strict when there is anything to say.
 * Source: apimachinery runtime NewStrictDecodingError ("strict decoding error: a, b").
 */
export function checkFieldValidation(
  mode: FieldValidation,
  problems: readonly string[],
  kind: DecodedKind,
): readonly string[] {
  if (mode === "Ignore" || problems.length === 0) return [];
  const told = [...new Set(problems)].slice(0, PROBLEMS_MAX);
  if (mode === "Warn") return told;
  throw cannotBeHandled(kind, `strict decoding error: ${told.join(", ")}`);
}
