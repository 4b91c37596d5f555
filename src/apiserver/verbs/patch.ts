import { DecodeError } from "../../machinery/decode.ts";
import { isApiError } from "../../machinery/errors.ts";
import {
  type FieldError,
  FieldPath,
  forbiddenField,
  invalid,
  invalidObject,
  required,
} from "../../machinery/fieldErrors.ts";
import { goText } from "../../machinery/goText.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { applyJsonPatch } from "../../machinery/patch/jsonPatch.ts";
import { applyMergePatch } from "../../machinery/patch/mergePatch.ts";
import { applyStrategicMergePatch } from "../../machinery/patch/strategicMergePatch.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import { updateObject } from "../write/updateObject.ts";
import { parseWriteOptions, type WriteOptions } from "../write/writeOptions.ts";
import { apply } from "./apply.ts";
import { decoded } from "./decoded.ts";
import { type PatchBody, type PatchType, patchBody, patchTypeOf } from "./patchBody.ts";

/** PATCH of an object or a part of it. */
export async function patch(call: ResourceRequest): Promise<ApiResponse> {
  const { request } = call;
  const type = patchTypeOf(request);
  const view = negotiateView(call);
  const options = parseWriteOptions(request, "PatchOptions");
  checkPatchOptions(request, type);
  const body = patchBody(request, type);
  if (type === "apply") {
    const { object, isNew } = await apply(call, body, options);
    return objectResponse(view.one(object, true), isNew ? 201 : 200);
  }
  const updated = await patchObject(call, type, body, options);
  return objectResponse(view.one(updated, true));
}

/** Reads, patches and writes; a patch that names no resourceVersion is applied anew when somebody else was faster. */
function patchObject(
  call: ResourceRequest,
  type: PatchType,
  { value, problems }: PatchBody,
  options: WriteOptions,
): Promise<KubeObject> {
  const { server, resource } = call;
  const wanted = (current: KubeObject): KubeObject => {
    const patched = applyPatch(type, current, value, () => server.codecs.schemaOf(resource.kind));
    try {
      return decoded(call, patched, options.fieldValidation, problems);
    } catch (error) {
      if (!isApiError(error, "BadRequest")) throw error;
      const shown = type === "strategic" ? goText(value) : JSON.stringify(patched);
      const reason = error.cause instanceof DecodeError ? error.cause.message : error.message;
      throw invalidObject({ group: "", kind: "" }, "", [invalid(new FieldPath("patch"), shown, reason)]);
    }
  };
  return updateObject(call, wanted, options, { optionsKind: "PatchOptions" });
}

function applyPatch(
  type: PatchType,
  current: object,
  body: unknown,
  schemaOf: () => Parameters<typeof applyStrategicMergePatch>[2],
): unknown {
  if (type === "json") return applyJsonPatch(current, body);
  return type === "merge" ? applyMergePatch(current, body) : applyStrategicMergePatch(current, body, schemaOf());
}

/** Source: meta/v1/validation ValidatePatchOptions. */
export function checkPatchOptions({ query }: ApiRequest, type: PatchType): void {
  const errors: FieldError[] = [];
  if (type !== "apply" && (query?.has("force") ?? false)) {
    errors.push(forbiddenField(new FieldPath("force"), "may not be specified for non-apply patch"));
  }
  if (type === "apply" && (query?.get("fieldManager") ?? "") === "") {
    errors.push(required(new FieldPath("fieldManager"), "is required for apply patch"));
  }
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "PatchOptions" }, "", errors);
}
