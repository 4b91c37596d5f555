/** From a request for objects to the verb that answers it. */
import type { AnyKind } from "../machinery/defineKind.ts";
import type { ApiResponse } from "../machinery/requests.ts";
import type { ResourceRequest } from "./context.ts";
import { methodNotSupported } from "./errors.ts";
import { create } from "./verbs/create.ts";
import { deleteOne } from "./verbs/delete.ts";
import { deleteCollection } from "./verbs/deletecollection.ts";
import { get } from "./verbs/get.ts";
import { list } from "./verbs/list.ts";
import { patch } from "./verbs/patch.ts";
import { update } from "./verbs/update.ts";
import { watch } from "./verbs/watch.ts";

export type Handler = (call: ResourceRequest) => Promise<ApiResponse>;

const VERBS: Readonly<Record<string, Handler>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteCollection,
};

/** Verbs of parts of an object that are written through the object itself. */
const PART_VERBS = new Set(["get", "update", "patch"]);

/** A subresource that is not a part of the object: exec, binding, scale, … */
export interface SubresourceHandler {
  /** "pods", or "*" for every resource that lists it. */
  readonly resource: string;
  readonly group: string;
  readonly subresource: string;
  readonly handle: Handler;
}

/** @returns undefined when there is nothing at that path */
export function handlerFor(call: ResourceRequest, subresources: readonly SubresourceHandler[]): Handler | undefined {
  const { info, resource } = call;
  const { kind, ref } = resource;
  if (info.subresource === "") return verbHandler(call, kind.verbs.includes(info.verb as never));
  if (isPart(kind, info.subresource))
    return info.rest === "" ? verbHandler(call, PART_VERBS.has(info.verb)) : undefined;
  const found = subresources.find(
    (one) =>
      one.subresource === info.subresource &&
      (one.resource === "*" || (one.resource === ref.resource && one.group === ref.group)),
  );
  return found?.handle;
}

const isPart = ({ subresources }: AnyKind, name: string): boolean =>
  (name === "status" && subresources.status === true) || Object.hasOwn(subresources.parts ?? {}, name);

function verbHandler({ info, resource, request }: ResourceRequest, isServed: boolean): Handler {
  const handler = isServed ? VERBS[info.verb] : undefined;
  if (handler === undefined)
    throw methodNotSupported(resource.ref, info.verb === "" ? request.method.toLowerCase() : info.verb);
  return handler;
}
