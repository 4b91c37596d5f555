/** Source: apimachinery meta/v1 DeleteOptions and its validation. */
import { decodeObject } from "../../machinery/decode.ts";
import { type FieldError, FieldPath, invalid, invalidObject, notSupported } from "../../machinery/fieldErrors.ts";
import type { DeleteOptions } from "../../machinery/generated/meta-v1.ts";
import type { ApiRequest } from "../../machinery/requests.ts";
import type { Codecs } from "../codecs.ts";
import { badRequest } from "../errors.ts";
import { parseInteger } from "../listOptions.ts";
import { META_TYPES } from "../protobufParser.ts";
import { dryRunErrors } from "./writeOptions.ts";

const POLICIES = ["Background", "Foreground", "Orphan"];

/** From the body, or from the query where there is no body. @throws ApiError 400, 422 */
export function parseDeleteOptions(request: ApiRequest, codecs: Codecs): DeleteOptions {
  const body = codecs.parse(request)?.value;
  const options = body === undefined ? fromQuery(request.query ?? new URLSearchParams()) : fromBody(body, codecs);
  const errors = optionErrors(options);
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  return options;
}

const DELETE_OPTIONS = {
  group: "meta.k8s.io",
  version: "v1",
  kind: "DeleteOptions",
  type: `${META_TYPES}.DeleteOptions`,
};

/** Those of any group are the same. */
function fromBody(body: unknown, codecs: Codecs): DeleteOptions {
  const { kind = "DeleteOptions", apiVersion: _, ...fields } = (body ?? {}) as { kind?: string; apiVersion?: string };
  if (kind !== "DeleteOptions") throw badRequest("decoded object cannot be converted to DeleteOptions");
  try {
    return decodeObject<DeleteOptions>(Array.isArray(body) ? body : fields, {
      schema: codecs.schemaOf(DELETE_OPTIONS),
      kind: DELETE_OPTIONS,
    }).object;
  } catch (error) {
    throw badRequest(((error as Error).cause as Error | undefined)?.message ?? (error as Error).message);
  }
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
