/** From a request for objects to the verb that answers it. */
import type { AnyKind, Verb } from "../machinery/defineKind.ts";
import type { ApiResponse } from "../machinery/requests.ts";
import type { ResourceRequest } from "./context.ts";
import { methodNotAllowed } from "./errors.ts";
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

/** @returns undefined when there is nothing at that path @throws ApiError 405 */
export function handlerFor(call: ResourceRequest, subresources: readonly SubresourceHandler[]): Handler | undefined {
  const handler = handlerAt(call, subresources);
  // Routes are made for GET alone, but for those that pass everything on. Source: endpoints/installer.go.
  if (handler !== undefined && call.request.method === "HEAD" && call.info.subresource !== "proxy") {
    throw methodNotAllowed();
  }
  return handler;
}

function handlerAt(call: ResourceRequest, subresources: readonly SubresourceHandler[]): Handler | undefined {
  const { info, resource } = call;
  const { kind, ref } = resource;
  if (!isPlaced(call)) return undefined;
  if (info.subresource === "") return verbHandler(call, kind.verbs.includes(info.verb as Verb));
  if (isPart(kind, info.subresource)) {
    return info.rest === "" ? verbHandler(call, PART_VERBS.has(info.verb)) : undefined;
  }
  if (info.subresource === "scale" && kind.subresources.scale === undefined) return undefined;
  const found = subresources.find(
    (one) =>
      one.subresource === info.subresource &&
      (one.resource === "*" || (one.resource === ref.resource && one.group === ref.group)),
  );
  return found?.handle;
}

/** A named object of a namespaced kind is in a namespace, and one of a cluster's kind is in none. */
function isPlaced({ info, resource: { isNamespaced, ref } }: ResourceRequest): boolean {
  if (isNamespaced) return info.namespace !== "" || info.name === "" || info.verb === "list" || info.verb === "watch";
  return info.namespace === "" || (ref.group === "" && ref.resource === "namespaces");
}

const isPart = ({ subresources }: AnyKind, name: string): boolean =>
  (name === "status" && subresources.status === true) || Object.hasOwn(subresources.parts ?? {}, name);

/** Verbs of one object; the others are of the collection. */
const NAMED_VERBS = new Set(["get", "update", "patch", "delete"]);

function verbHandler(call: ResourceRequest, isServed: boolean): Handler {
  const { info } = call;
  const isNamed = info.name !== "";
  // A list or watch has a name when its field selector names one object.
  const fits = NAMED_VERBS.has(info.verb) === isNamed || info.verb === "watch" || info.verb === "list";
  const handler = isServed && fits && isInNamespace(call) ? VERBS[info.verb] : undefined;
  if (handler !== undefined) return handler;
  throw methodNotAllowed();
}

/** Only list and watch reach over all namespaces. */
const isInNamespace = ({ info, resource }: ResourceRequest): boolean =>
  !resource.isNamespaced || info.namespace !== "" || info.verb === "list" || info.verb === "watch";
