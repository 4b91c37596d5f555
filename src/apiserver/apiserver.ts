/**
 * The API server: one function from a request and a user to a response, over a store.
 *
 * Reads come from a watch cache, which the store's watch alone feeds; writes go to the store and resolve once the cache
 * has seen them. Objects and their bytes are immutable and shared with everybody in the process. There is no network
 * here (see `http/`), and no kind is known by name outside definitions, hooks and admission plugins.
 */
import type { Env } from "../lib/env.ts";
import type { AnyKind } from "../machinery/defineKind.ts";
import { ApiError } from "../machinery/errors.ts";
import type { ApiHandler, ApiRequest, ApiResponse, UserInfo } from "../machinery/requests.ts";
import type { Schemas } from "../machinery/schema.ts";
import type { Storage } from "../storage/storage.ts";
import { type AdmissionPlugin, admissionChain } from "./admission/chain.ts";
import { createCodecs } from "./codecs.ts";
import type { ResourceRequest, Server } from "./context.ts";
import { internalError } from "./errors.ts";
import { objectResponse } from "./output/view.ts";
import { parseRequest } from "./requestInfo.ts";
import { createResources, type Resources } from "./resources.ts";
import { handlerFor, type SubresourceHandler } from "./router.ts";
import { History } from "./store/history.ts";
import type { FieldManagers } from "./write/fieldManagers.ts";
import { type WriteHook, writeHooks } from "./write/hooks.ts";

export interface ApiServerOptions {
  readonly env: Env;
  readonly storage: Storage;
  readonly kinds: readonly AnyKind[];
  readonly schemas: Schemas;
  readonly admission?: readonly AdmissionPlugin[];
  readonly hooks?: readonly WriteHook[];
  readonly subresources?: readonly SubresourceHandler[];
}

export interface ApiServer {
  readonly handle: ApiHandler;
  readonly resources: Resources;
  /** Resolves once the caches are filled. Requests before that wait. */
  readonly ready: Promise<void>;
  /** Ends every watch; the store is the caller's to close. */
  close(): Promise<void>;
}

const noFieldManagers: FieldManagers = { update: (_, next) => next, apply: (_, applied) => applied };

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { env } = options;
  const history = new History(env, options.storage);
  const resources = createResources(history);
  const server: Server = {
    env,
    history,
    resources,
    admission: admissionChain(options.admission ?? []),
    codecs: createCodecs(options.schemas),
    hooks: writeHooks(options.hooks ?? []),
    fieldManagers: noFieldManagers,
  };
  const ready = start(server, options);
  const handle = async (request: ApiRequest, user: UserInfo): Promise<ApiResponse> => {
    try {
      await ready;
      return await answer(server, options, request, user);
    } catch (error) {
      return errorResponse(error, env);
    }
  };
  return { handle, resources, ready, close: async () => history.close() };
}

async function start({ history, resources }: Server, { kinds }: ApiServerOptions): Promise<void> {
  for (const kind of kinds) await resources.add(kind);
  await history.start();
}

async function answer(
  server: Server,
  { subresources = [] }: ApiServerOptions,
  request: ApiRequest,
  user: UserInfo,
): Promise<ApiResponse> {
  const info = parseRequest(request);
  const resource = info.isResource ? server.resources.find(info.group, info.version, info.resource) : undefined;
  if (resource === undefined) return PAGE_NOT_FOUND;
  const call: ResourceRequest = { server, request, info, resource, user, warnings: [] };
  const handler = handlerFor(call, subresources);
  if (handler === undefined) return PAGE_NOT_FOUND;
  return withWarnings(await handler(call), call.warnings);
}

const PAGE_NOT_FOUND: ApiResponse = {
  type: "bytes",
  status: 404,
  contentType: "text/plain; charset=utf-8",
  headers: { "x-content-type-options": "nosniff" },
  bytes: Buffer.from("404 page not found\n"),
};

/** Source: apiserver warning, RFC 7234 form with code 299. */
function withWarnings(response: ApiResponse, warnings: readonly string[]): ApiResponse {
  if (warnings.length === 0 || response.type === "watch") return response;
  const warning = [...new Set(warnings)].map((text) => `299 - ${JSON.stringify(text)}`).join(", ");
  return { ...response, headers: { ...response.headers, warning } };
}

function errorResponse(error: unknown, env: Env): ApiResponse {
  if (!(error instanceof ApiError)) env.log.error("a request failed", { error: (error as Error)?.stack ?? error });
  const status = (error instanceof ApiError ? error : internalError(error)).toStatus();
  const { retryAfterSeconds } = status.details ?? {};
  const response = objectResponse(status, status.code);
  return retryAfterSeconds === undefined
    ? response
    : { ...response, headers: { "retry-after": `${retryAfterSeconds}` } };
}
