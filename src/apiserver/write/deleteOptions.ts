/** Source: apimachinery meta/v1 DeleteOptions and its validation. */
import { type FieldError, FieldPath, invalid, invalidObject, notSupported } from "../../machinery/fieldErrors.ts";
import type { DeleteOptions } from "../../machinery/generated/meta-v1.ts";
import type { ApiRequest } from "../../machinery/requests.ts";
import type { Codecs } from "../codecs.ts";
import { badRequest } from "../errors.ts";
import { parseInteger } from "../listOptions.ts";
import { dryRunErrors } from "./writeOptions.ts";

const POLICIES = ["Background", "Foreground", "Orphan"];

/** From the body, or from the query where there is no body. @throws ApiError 400, 422 */
export function parseDeleteOptions(request: ApiRequest, codecs: Codecs): DeleteOptions {
  const body = codecs.parse(request)?.value;
  const options = body === undefined ? fromQuery(request.query ?? new URLSearchParams()) : fromBody(body);
  const errors = optionErrors(options);
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  return options;
}

function fromBody(body: unknown): DeleteOptions {
  if (typeof body !== "object" || body === null) throw badRequest("couldn't get version/kind; json parse error");
  const { kind = "DeleteOptions" } = body as { kind?: string };
  if (kind !== "DeleteOptions") throw badRequest(`decoded object cannot be converted to DeleteOptions`);
  return body as DeleteOptions;
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  const gracePeriodSeconds = parseInteger(query.get("gracePeriodSeconds"));
  const propagationPolicy = query.get("propagationPolicy") ?? "";
  const orphan = query.get("orphanDependents");
  return {
    ...(dryRun.length > 0 && { dryRun }),
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(propagationPolicy !== "" && { propagationPolicy }),
    ...(orphan !== null && { orphanDependents: orphan !== "false" && orphan !== "0" }),
  };
}

function optionErrors({ propagationPolicy, orphanDependents, dryRun = [] }: DeleteOptions): FieldError[] {
  const path = new FieldPath("propagationPolicy");
  const errors = dryRunErrors(dryRun);
  if (propagationPolicy === undefined) return errors;
  if (orphanDependents !== undefined) {
    errors.push(invalid(path, propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (!POLICIES.includes(propagationPolicy)) errors.push(notSupported(path, propagationPolicy, [...POLICIES, "nil"]));
  return errors;
}
