import type { KubeObject } from "../../machinery/object.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import { CompactedError, FutureRevisionError } from "../../storage/storage.ts";
import type { ResourceRequest } from "../context.ts";
import { type ContinueToken, decodeContinue, encodeContinue } from "../continueToken.ts";
import { badRequest, expired, tooLargeResourceVersion } from "../errors.ts";
import { type ListOptions, matcherOf, parseListOptions, scopeOf } from "../listOptions.ts";
import { negotiateView } from "../output/negotiate.ts";
import type { ListMetadata } from "../output/view.ts";
import { listRevision } from "../resourceVersion.ts";
import { keyOf, type Scope } from "../store/objectIndex.ts";
import { objectOfEntry } from "../store/objectJson.ts";
import { waitForRevision } from "./get.ts";

/** Source: etcd3 errors.go, inconsistentContinue: how to go on when the first page's revision is gone. */
const INCONSISTENT_CONTINUE_MESSAGE =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

interface Found {
  readonly objects: readonly KubeObject[];
  readonly revision: number;
}

/** GET of many objects. */
export async function list(call: ResourceRequest): Promise<ApiResponse> {
  const { request, resource, info } = call;
  const view = negotiateView(call);
  const options = parseListOptions(request.query, resource, { isWatch: false });
  const scope = scopeOf(info, options, resource);
  const token = options.continueToken === "" ? undefined : decodeContinue(options.continueToken);
  if (token !== undefined && options.resourceVersion !== "" && options.resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  const { objects, revision } = await find(call, options, scope, token);
  const matches = matcherOf(options, scope, resource);
  const page = paged(select(objects, matches, call), revision, limitOf(options), { isExact: matches === undefined });
  return view.list(page.items, page.metadata);
}

/** Whoever takes what the cache has takes all of it. Source: cacher.go computeListLimit. */
const limitOf = ({ limit, resourceVersion }: ListOptions): number => (resourceVersion === "0" ? 0 : limit);

function select(
  objects: readonly KubeObject[],
  matches: ((object: KubeObject) => boolean) | undefined,
  call: ResourceRequest,
) {
  if (matches === undefined) return objects;
  const { toServed, kind } = call.resource;
  return objects.filter(kind.storedAs === undefined ? matches : (object) => matches(toServed(object)));
}

/** Everything in scope, at the revision that is asked for, in key order. */
async function find(
  call: ResourceRequest,
  { resourceVersion, resourceVersionMatch: match, limit }: ListOptions,
  scope: Scope,
  token: ContinueToken | undefined,
): Promise<Found> {
  const { server, resource } = call;
  if (token !== undefined) return findAfter(call, scope, token);
  // A limit with a revision and no match rule reads at exactly that revision, for old clients.
  const isExact = match === "Exact" || (match === "" && limit > 0 && resourceVersion !== "" && resourceVersion !== "0");
  const wanted = resourceVersion === "" ? undefined : listRevision(resourceVersion);
  if (isExact && wanted !== undefined) return findAt(call, scope, wanted);
  await waitForRevision(server, wanted);
  return { objects: resource.store.cache.list(scope), revision: resource.store.cache.revision };
}

async function findAfter(call: ResourceRequest, scope: Scope, { revision, after }: ContinueToken): Promise<Found> {
  const { cache } = call.resource.store;
  const isAfter = (object: KubeObject) => keyOf(object) > after;
  if (revision < 0) return { objects: cache.list(scope).filter(isAfter), revision: cache.revision };
  try {
    const found = await findAt(call, scope, revision);
    return { ...found, objects: found.objects.filter(isAfter) };
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof CompactedError)) throw error;
    throw expired(INCONSISTENT_CONTINUE_MESSAGE, error, encodeContinue({ revision: -1, after }));
  }
}

/** As it was at a revision: from the cache where nothing has happened since, otherwise from the store. */
async function findAt({ resource, server }: ResourceRequest, scope: Scope, revision: number): Promise<Found> {
  const { cache, prefix } = resource.store;
  if (cache.lastEventRevision <= revision && revision <= cache.revision)
    return { objects: cache.list(scope), revision };
  try {
    const below = scope.namespace === undefined || scope.namespace === "" ? "" : `${scope.namespace}/`;
    const { entries } = await server.history.storage.range({ prefix: `${prefix}/${below}`, revision });
    return { objects: entries.map(objectOfEntry), revision };
  } catch (error) {
    if (error instanceof CompactedError) throw expired("The resourceVersion for the provided list is too old.", error);
    if (error instanceof FutureRevisionError) throw tooLargeResourceVersion(revision, server.history.revision);
    throw error;
  }
}

function paged(
  objects: readonly KubeObject[],
  revision: number,
  limit: number,
  { isExact }: { isExact: boolean },
): { items: readonly KubeObject[]; metadata: ListMetadata } {
  const resourceVersion = String(revision);
  if (limit <= 0 || objects.length <= limit) return { items: objects, metadata: { resourceVersion } };
  const items = objects.slice(0, limit);
  const next = encodeContinue({ revision, after: keyOf(items.at(-1) as KubeObject) });
  // With a selector upstream does not know how many of the rest would match. Source: etcd3 store GetList.
  const remaining = isExact ? { remainingItemCount: objects.length - limit } : {};
  return { items, metadata: { resourceVersion, continue: next, ...remaining } };
}
