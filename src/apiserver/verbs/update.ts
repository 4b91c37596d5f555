import { isApiError, notFound } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import { createObject } from "../write/createObject.ts";
import { checkName } from "../write/names.ts";
import { updateObject } from "../write/updateObject.ts";
import { parseWriteOptions, type WriteOptions } from "../write/writeOptions.ts";
import { keyOfRequest } from "./get.ts";

/** PUT of a whole object, or of its status or another part. */
export async function update(call: ResourceRequest): Promise<ApiResponse> {
  const { request, resource, server } = call;
  const view = negotiateView(call);
  const options = parseWriteOptions(request, "UpdateOptions");
  const { object, warnings } = server.codecs.decode(request, resource.kind, options.fieldValidation);
  call.warnings.push(...warnings);
  const wanted = resource.kind.withDefaults(object);
  checkName(wanted, call);
  if (isCreation(call)) return createByUpdate(call, wanted, options);
  const updated = await updateObject(call, () => wanted, options, { optionsKind: "UpdateOptions" });
  return objectResponse(view.one(updated, true));
}

/** Some kinds may be made by PUT. Source: rest.UpdateStrategy AllowCreateOnUpdate. */
const isCreation = (call: ResourceRequest): boolean =>
  call.resource.kind.createOnUpdate &&
  call.info.subresource === "" &&
  call.resource.store.get(keyOfRequest(call)) === undefined;

async function createByUpdate(call: ResourceRequest, wanted: KubeObject, options: WriteOptions): Promise<ApiResponse> {
  const { resourceVersion = "", uid = "" } = wanted.metadata;
  if (uid !== "" || (resourceVersion !== "" && resourceVersion !== "0"))
    throw notFound(call.resource.ref, call.info.name);
  const named = { ...wanted, metadata: { ...wanted.metadata, name: call.info.name } };
  try {
    return objectResponse(negotiateView(call).one(await createObject(call, named, options), true), 201);
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
    const updated = await updateObject(call, () => wanted, options, { optionsKind: "UpdateOptions" });
    return objectResponse(negotiateView(call).one(updated, true));
  }
}
