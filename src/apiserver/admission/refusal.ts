import { type ApiError, forbidden } from "../../machinery/errors.ts";
import type { AdmissionRequest } from "./chain.ts";

/** The 403 of a plugin. Source: apiserver admission/errors.go NewForbidden. */
export function refusal({ ref, name, object }: AdmissionRequest, message: string): ApiError {
  const { generateName = "" } = object?.metadata ?? {};
  return forbidden(ref, name !== "" ? name : generateName !== "" ? generateName : "Unknown", message);
}
