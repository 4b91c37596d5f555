import type { KubeObject } from "../../machinery/object.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest } from "../errors.ts";

/** Source: registry/rest EnsureObjectNamespaceMatchesRequestNamespace. */
export function checkNamespace(
  { metadata: { namespace = "" } }: KubeObject,
  { info, resource }: Pick<ResourceRequest, "info" | "resource">,
): void {
  if (!resource.isNamespaced || namespace === "" || namespace === info.namespace) return;
  throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** An update says whom it means twice. Source: endpoints/handlers rest.go, checkName. */
export function checkName(object: KubeObject, request: Pick<ResourceRequest, "info" | "resource">): void {
  checkNamespace(object, request);
  const { info } = request;
  const { name = "" } = object.metadata;
  if (name === "") {
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
  }
  if (name !== info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  }
}
