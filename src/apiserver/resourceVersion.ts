/** The revision that a request names. Source: apiserver storage/api_object_versioner.go, ParseResourceVersion. */
import { ApiError } from "../machinery/errors.ts";
import { badRequest } from "./errors.ts";

/**
 * As many as a number holds exactly; no history is that long.
 * @throws ApiError 400 of a list
 */
export const listRevision = (text: string): number =>
  revisionOf(text, (fault) => badRequest(`invalid resource version: ${fault}`));

/** @throws ApiError 500 of a get or watch, which do not give this fault a reason. */
export const readRevision = (text: string): number => revisionOf(text, (fault) => new ApiError("", fault));

function revisionOf(text: string, refusal: (fault: string) => ApiError): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const quoted = JSON.stringify(text);
  const fault = /^\d{20,}$/.test(text) ? "value out of range" : "invalid syntax";
  throw refusal(`resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${fault}`);
}
