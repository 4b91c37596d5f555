import type { ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import { deletedStatus, deleteObject } from "../write/deleteObject.ts";
import { parseDeleteOptions } from "../write/deleteOptions.ts";
import { keyOfRequest } from "./get.ts";

/** These give back the object itself when it is gone. Source: kubernetes registry/core, ReturnDeletedObject. */
const RETURN_DELETED_OBJECT = new Set([
  "persistentvolumes",
  "persistentvolumeclaims",
  "pods",
  "podtemplates",
  "resourcequotas",
  "serviceaccounts",
  "services",
]);

/** DELETE of one object. */
export async function deleteOne(call: ResourceRequest): Promise<ApiResponse> {
  const { request, server, resource } = call;
  const view = negotiateView(call);
  const options = parseDeleteOptions(request, server.codecs);
  const { isGone, object } = await deleteObject(call, keyOfRequest(call), options);
  const isAccepted = !isGone && options.orphanDependents === false;
  if (isGone && !(resource.ref.group === "" && RETURN_DELETED_OBJECT.has(resource.ref.resource))) {
    return objectResponse(deletedStatus(call, object));
  }
  return objectResponse(view.one(object, true), isAccepted ? 202 : 200);
}
