import type { ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest } from "../errors.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import { createObject } from "../write/createObject.ts";
import { parseWriteOptions } from "../write/writeOptions.ts";

/** POST of a new object. */
export async function create(call: ResourceRequest): Promise<ApiResponse> {
  const { request, resource, server, info } = call;
  if (resource.isNamespaced && info.namespace === "") {
    throw badRequest("an empty namespace may not be set during creation");
  }
  const view = negotiateView(call);
  const options = parseWriteOptions(request, "CreateOptions");
  const { object, warnings } = server.codecs.decode(request, resource.kind, options.fieldValidation);
  call.warnings.push(...warnings);
  const created = await createObject(call, resource.kind.withDefaults(object), options);
  return objectResponse(view.one(created, true), 201);
}
