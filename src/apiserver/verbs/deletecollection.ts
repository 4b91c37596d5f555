import { isApiError } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { matcherOf, parseListOptions, scopeOf } from "../listOptions.ts";
import { negotiateView } from "../output/negotiate.ts";
import { keyOf } from "../store/objectIndex.ts";
import { deleteObject } from "../write/deleteObject.ts";
import { parseDeleteOptions } from "../write/deleteOptions.ts";
import { waitForRevision } from "./get.ts";

/** DELETE of everything that a list would give. @returns the list as it was */
export async function deleteCollection(call: ResourceRequest): Promise<ApiResponse> {
  const { request, server, resource, info } = call;
  const view = negotiateView(call);
  const options = parseDeleteOptions(request, server.codecs);
  const listOptions = parseListOptions(request.query, resource, { isWatch: false });
  const scope = scopeOf(info, listOptions, resource);
  await waitForRevision(server, undefined);
  const { cache } = resource.store;
  const revision = cache.revision;
  const matches = matcherOf(listOptions, scope, resource);
  const objects = cache.list(scope).filter((object) => matches?.(resource.toServed(object)) ?? true);
  const chosen = listOptions.limit > 0 ? objects.slice(0, listOptions.limit) : objects;
  await Promise.all(chosen.map((object) => deleteIfThere(call, object, options)));
  return view.list(chosen, { resourceVersion: String(revision) });
}

async function deleteIfThere(
  call: ResourceRequest,
  object: KubeObject,
  options: Parameters<typeof deleteObject>[2],
): Promise<void> {
  const { preconditions: _, ...unconditional } = options;
  try {
    await deleteObject(call, keyOf(object), unconditional);
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
}
