import type { KubeObject } from "../../machinery/object.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest } from "../errors.ts";

/** Source: registry/rest EnsureObjectNamespaceMatchesRequestNamespace. */
export function checkNamespace(
  { metadata: { namespace = "" } }: KubeObject,
  { info, resource }: ResourceRequest,
): void {
  if (!resource.isNamespaced || namespace === "" || namespace === info.namespace) return;
  throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** An update says whom it means twice. Source: endpoints/handlers rest.go, checkName. */
export function checkName(
  { metadata: { name = "", namespace = "" } }: KubeObject,
  { info, resource }: Pick<ResourceRequest, "info" | "resource">,
): void {
  if (name === "") {
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
  }
  if (name !== info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  }
  if (resource.isNamespaced && namespace !== "" && namespace !== info.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${info.namespace})`,
    );
  }
}
