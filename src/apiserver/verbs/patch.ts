import { parse as parseYaml } from "yaml";
import type { FieldValidation } from "../../machinery/decode.ts";
import { type FieldError, FieldPath, forbiddenField, invalidObject, required } from "../../machinery/fieldErrors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { applyJsonPatch } from "../../machinery/patch/jsonPatch.ts";
import { applyMergePatch } from "../../machinery/patch/mergePatch.ts";
import { applyStrategicMergePatch } from "../../machinery/patch/strategicMergePatch.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import { unsupportedMediaType } from "../codecs.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest } from "../errors.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import { updateObject } from "../write/updateObject.ts";
import { parseWriteOptions, type WriteOptions } from "../write/writeOptions.ts";
import { apply } from "./apply.ts";

export type PatchType = "json" | "merge" | "strategic" | "apply";

const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** PATCH of an object or a part of it. */
export async function patch(call: ResourceRequest): Promise<ApiResponse> {
  const { request } = call;
  const type = patchTypeOf(request);
  const view = negotiateView(call);
  const options = parseWriteOptions(request, "PatchOptions");
  checkOptions(request, type);
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
  body: unknown,
  options: WriteOptions,
): Promise<KubeObject> {
  const { server, resource } = call;
  const wanted = (current: KubeObject): KubeObject => {
    const patched = applyPatch(type, current, body, () => server.codecs.schemaOf(resource.kind));
    return decodePatched(call, patched, options.fieldValidation);
  };
  return updateObject(call, wanted, options, { optionsKind: "PatchOptions" });
}

export function decodePatched(call: ResourceRequest, patched: unknown, validation: FieldValidation): KubeObject {
  const { kind } = call.resource;
  const { object, warnings } = call.server.codecs.decodeValue(patched, kind, validation);
  call.warnings.push(...warnings);
  return kind.withDefaults(object);
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

export function patchTypeOf({ headers }: ApiRequest): PatchType {
  const mediaType = (headers?.["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  const type = PATCH_TYPES[mediaType];
  if (type === undefined) throw unsupportedMediaType(Object.keys(PATCH_TYPES));
  return type;
}

/** Source: meta/v1/validation ValidatePatchOptions. */
function checkOptions({ query }: ApiRequest, type: PatchType): void {
  const errors: FieldError[] = [];
  if (type !== "apply" && (query?.has("force") ?? false)) {
    errors.push(forbiddenField(new FieldPath("force"), "may not be specified for non-apply patch"));
  }
  if (type === "apply" && (query?.get("fieldManager") ?? "") === "") {
    errors.push(required(new FieldPath("fieldManager"), "is required for apply patch"));
  }
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "PatchOptions" }, "", errors);
}

export function patchBody({ body }: ApiRequest, type: PatchType): unknown {
  if (!(body instanceof Uint8Array)) return body;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  try {
    return type === "apply" ? parseYaml(text) : JSON.parse(text);
  } catch (error) {
    const what = type === "apply" ? "error decoding YAML" : "error decoding patch";
    throw badRequest(`${what}: ${(error as Error).message}`);
  }
}
