import type { ApiResponse } from "../../machinery/requests.ts";
import { unsupportedMediaType } from "../codecs.ts";
import type { ResourceRequest } from "../context.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import { updateObject } from "../write/updateObject.ts";
import { parseWriteOptions } from "../write/writeOptions.ts";

/** PATCH of an object or a part of it. */
export async function patch(call: ResourceRequest): Promise<ApiResponse> {
  const { request, resource, server } = call;
  const view = negotiateView(call);
  const options = parseWriteOptions(request, "PatchOptions");
  if (request.headers?.["content-type"] !== "application/merge-patch+json")
    throw unsupportedMediaType(["application/merge-patch+json"]);
  const body = (
    request.body instanceof Uint8Array ? JSON.parse(Buffer.from(request.body).toString()) : request.body
  ) as Json;
  const updated = await updateObject(
    call,
    (current) => {
      const { object, warnings } = server.codecs.decodeValue(
        merge(current as unknown as Json, body),
        resource.kind,
        options.fieldValidation,
      );
      call.warnings.push(...warnings);
      return resource.kind.withDefaults(object);
    },
    options,
    { optionsKind: "PatchOptions" },
  );
  return objectResponse(view.one(updated, true));
}

type Json = { readonly [key: string]: unknown };

function merge(target: Json, change: Json): Json {
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else if (typeof value === "object" && !Array.isArray(value))
      result[key] = merge((result[key] ?? {}) as Json, value as Json);
    else result[key] = value;
  }
  return result;
}
