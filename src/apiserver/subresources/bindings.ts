import type { Binding } from "../../api/generated/core-v1.ts";
import { ApiError } from "../../machinery/errors.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { VirtualCall, VirtualResource } from "../virtualResources.ts";
import { BINDING, bind } from "./binding.ts";

/** POST to `bindings`: as to `pods/<name>/binding`, the name being the Binding's. */
async function create(call: VirtualCall): Promise<ApiResponse> {
  const { server, request, info } = call;
  const resource = server.resources.find("", "v1", "pods");
  if (resource === undefined) throw new ApiError("NotFound", "the server could not find the requested resource");
  const binding = server.codecs.decode(request, BINDING, "Ignore").object as unknown as Binding;
  const named = { ...info, resource: "pods", subresource: "binding", name: binding.metadata.name };
  return bind({ ...call, resource, info: named });
}

export const bindings: VirtualResource = {
  group: "",
  version: "v1",
  plural: "bindings",
  singular: "binding",
  kind: "Binding",
  isNamespaced: true,
  type: BINDING.type,
  create,
};
