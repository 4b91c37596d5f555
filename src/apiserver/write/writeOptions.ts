/** Query options that every write has. Source: apimachinery meta/v1 CreateOptions, UpdateOptions, PatchOptions. */

import type { FieldValidation } from "../../machinery/decode.ts";
import { type FieldError, FieldPath, invalid, invalidObject, notSupported } from "../../machinery/fieldErrors.ts";
import type { ApiRequest } from "../../machinery/requests.ts";

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean;
}

/** Source: meta/v1/validation FieldManagerMaxLength. */
const FIELD_MANAGER_LENGTH_MAX = 128;
const FIELD_VALIDATIONS = ["Ignore", "Strict", "Warn"];
const NO_QUERY = new URLSearchParams();

/** @throws ApiError 422 */
export function parseWriteOptions({ query, headers }: ApiRequest, optionsKind: string): WriteOptions {
  const values = query ?? NO_QUERY;
  const dryRun = values.getAll("dryRun").filter((value) => value !== "");
  const fieldManager = values.get("fieldManager") ?? "";
  const fieldValidation = values.get("fieldValidation") ?? "";
  const errors = [...dryRunErrors(dryRun), ...fieldManagerErrors(fieldManager)];
  if (fieldValidation !== "" && !FIELD_VALIDATIONS.includes(fieldValidation)) {
    errors.push(notSupported(new FieldPath("fieldValidation"), fieldValidation, ["", ...FIELD_VALIDATIONS]));
  }
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: optionsKind }, "", errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: fieldManager !== "" ? fieldManager : managerFromUserAgent(headers?.["user-agent"] ?? ""),
    fieldValidation: fieldValidation === "" ? "Warn" : (fieldValidation as FieldValidation),
    force: values.get("force") === "true",
  };
}

export function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  const path = new FieldPath("dryRun");
  return dryRun.every((value) => value === "All") ? [] : [notSupported(path, dryRun, ["All"])];
}

function fieldManagerErrors(manager: string): FieldError[] {
  const path = new FieldPath("fieldManager");
  if (manager.length > FIELD_MANAGER_LENGTH_MAX)
    return [
      {
        type: "FieldValueTooLong",
        field: path.text,
        body: `Too long: may not be more than ${FIELD_MANAGER_LENGTH_MAX} bytes`,
      },
    ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  return /[\u0000-\u001f\u007f]/.test(manager)
    ? [invalid(path, manager, "should only contain printable characters")]
    : [];
}

/** "kubectl/v1.35.2 (linux/amd64) …" → "kubectl". Source: handlers prefixFromUserAgent. */
function managerFromUserAgent(userAgent: string): string {
  const prefix = userAgent.split("/")[0] as string;
  const printable = [...prefix].filter((char) => char >= " " && char !== "\u007f").join("");
  return printable.slice(0, FIELD_MANAGER_LENGTH_MAX) || "unknown";
}
