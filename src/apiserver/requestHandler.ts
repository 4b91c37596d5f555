/** What happens to every request, in order: limits, authorisation, and then the one who answers. */
import { ApiError } from "../machinery/errors.ts";
import { parseGoDuration } from "../machinery/goDuration.ts";
import type { ApiHandler, ApiRequest, ApiResponse, UserInfo } from "../machinery/requests.ts";
import { attributesOf, forbiddenError } from "./auth/authorizer.ts";
import { impersonate } from "./auth/impersonation.ts";
import type { ResourceRequest, Server } from "./context.ts";
import type { Discovery } from "./discovery/discovery.ts";
import { issuerResponse } from "./discovery/issuer.ts";
import { versionInfo } from "./discovery/version.ts";
import { badRequest, internalError, methodNotAllowed, pageNotFound, pathNotFound } from "./errors.ts";
import { type HealthCheck, healthResponse } from "./health.ts";
import { createInFlight, isLongRunning } from "./inFlight.ts";
import { finishResponse, indented } from "./output/finishResponse.ts";
import { objectResponse } from "./output/view.ts";
import { parseRequest, type RequestInfo } from "./requestInfo.ts";
import { handlerFor, type SubresourceHandler } from "./router.ts";
import type { VirtualResource } from "./virtualResources.ts";

/** Answers every request whose path begins with `prefix`. */
export interface Route {
  readonly prefix: string;
  /** Among the paths that `/` names, as it is unless this is false. */
  readonly isListed?: boolean;
  readonly handle: ApiHandler;
}

export interface RequestHandlerOptions {
  readonly discovery: Discovery;
  /** host:port, where others find the keys of tokens. */
  readonly serverAddress: string;
  readonly virtual: readonly VirtualResource[];
  readonly subresources: readonly SubresourceHandler[];
  readonly routes: readonly Route[];
  readonly healthChecks: readonly HealthCheck[];
}

/** Source: kube-apiserver --request-timeout. */
const REQUEST_TIMEOUT_MAX_MS = 60_000;

/** What the client asks for, if it is less than what there is anyway. Source: endpoints/filters/request_deadline.go. */
function requestTimeoutMs({ query }: ApiRequest): number {
  const wish = query?.get("timeout") ?? "";
  if (wish === "") return REQUEST_TIMEOUT_MAX_MS;
  try {
    const wishMs = parseGoDuration(wish);
    return wishMs > 0 ? Math.min(wishMs, REQUEST_TIMEOUT_MAX_MS) : REQUEST_TIMEOUT_MAX_MS;
  } catch (error) {
    throw badRequest(`invalid timeout specified in the request URL - ${(error as Error).message}`);
  }
}

export function createRequestHandler(server: Server, options: RequestHandlerOptions): ApiHandler {
  const inFlight = createInFlight();
  return async (request, sender) => {
    const warnings: string[] = [];
    try {
      const info = parseRequest(request);
      const timeoutMs = isLongRunning(info) ? undefined : requestTimeoutMs(request);
      const user = impersonate(request, sender, info, server.authorize);
      authorize(server, info, user);
      const work = () => answer(server, options, { request, info, user, warnings });
      const response = await inFlight.run(info, user, () =>
        timeoutMs === undefined ? work() : withTimeout(server, timeoutMs, work),
      );
      return finishResponse(server.codecs, response, warnings, request);
    } catch (error) {
      return finishResponse(server.codecs, errorResponse(error, server), warnings, request);
    }
  };
}

interface Incoming {
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly warnings: string[];
}

/** @throws ApiError 403 */
function authorize({ authorize: decide }: Server, info: RequestInfo, user: UserInfo): void {
  const attributes = attributesOf(info, user);
  const { isAllowed, reason } = decide(attributes);
  if (!isAllowed) throw forbiddenError(attributes, reason);
}

async function answer(server: Server, options: RequestHandlerOptions, incoming: Incoming): Promise<ApiResponse> {
  const { request, info, user, warnings } = incoming;
  const route = options.routes.find(({ prefix }) => request.path.startsWith(prefix));
  if (route !== undefined) return route.handle(request, user);
  if (!info.isResource) return (await answerPath(server, options, request)) ?? nothingAt(options, info);
  const resource = server.resources.find(info.group, info.version, info.resource);
  if (resource === undefined) return (await answerVirtual(server, options, incoming)) ?? nothingAt(options, info);
  if (resource.kind.deprecation !== undefined) warnings.push(resource.kind.deprecation);
  const call: ResourceRequest = { server, request, info, resource, user, warnings };
  return (await handlerFor(call, options.subresources)?.(call)) ?? nothingAt(options, info);
}

async function answerPath(
  { tokens }: Server,
  options: RequestHandlerOptions,
  request: ApiRequest,
): Promise<ApiResponse | undefined> {
  const path = request.path.length > 1 ? request.path.replace(/\/$/, "") : request.path;
  if (path === "/version") return forGet(request, rawJson(versionInfo));
  if (path === "/") return rawJson({ paths: indexPaths(options) });
  const issuer = issuerResponse(request, tokens?.signer, options.serverAddress);
  if (issuer !== undefined) return issuer;
  const discovered = options.discovery.handle(request);
  if (discovered !== undefined) return forGet(request, discovered);
  return healthResponse({ ...request, path }, options.healthChecks);
}

/** @throws ApiError 405 */
function forGet({ method }: ApiRequest, response: ApiResponse): ApiResponse {
  if (method !== "GET") throw methodNotAllowed();
  return response;
}

/** Source: handlers/responsewriters WriteRawJSON. */
const rawJson = (value: object): ApiResponse => ({
  type: "bytes",
  status: 200,
  contentType: "application/json",
  bytes: Buffer.from(indented(value)),
});

/** Source: apiserver server/routes/index.go. */
function indexPaths({ discovery, routes, healthChecks }: RequestHandlerOptions): readonly string[] {
  const groups = discovery.groups().flatMap(({ name, versions }) => {
    if (name === "") return versions.map(({ version }) => `/api/${version}`);
    return [`/apis/${name}`, ...versions.map(({ version }) => `/apis/${name}/${version}`)];
  });
  const probes = ["/healthz", "/livez", "/readyz"].flatMap((probe) => [
    probe,
    ...healthChecks.map(({ name }) => `${probe}/${name}`),
  ]);
  const listed = routes.flatMap(({ prefix, isListed = true }) => (isListed ? [prefix] : []));
  return ["/api", "/apis", "/version", ...groups, ...probes, ...listed].sort();
}

async function answerVirtual(
  server: Server,
  { virtual }: RequestHandlerOptions,
  { request, info, user, warnings }: Incoming,
): Promise<ApiResponse | undefined> {
  const { group, version, resource, name, namespace } = info;
  const found = virtual.find((one) => one.group === group && one.version === version && one.plural === resource);
  if (found === undefined || name !== "" || found.isNamespaced !== (namespace !== "")) return undefined;
  if (info.verb !== "create") throw methodNotAllowed();
  return found.create({ server, request, info, user, warnings });
}

/** Groups that are served know what is below them. Source: apiserver server/handler.go, director. */
function nothingAt({ discovery }: RequestHandlerOptions, { path }: RequestInfo): ApiResponse {
  const [prefix, group = ""] = path.split("/").filter((part) => part !== "");
  const isServed = prefix === "api" || (prefix === "apis" && discovery.groups().some(({ name }) => name === group));
  if (isServed && group !== "") throw pathNotFound();
  return pageNotFound;
}

async function withTimeout<T>({ env }: Server, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  let expire: (error: ApiError) => void = () => undefined;
  const expiry = new Promise<never>((_, reject) => {
    expire = reject;
  });
  const timer = env.clock.setTimer(timeoutMs, () => expire(requestTimeout()));
  try {
    return await Promise.race([work(), expiry]);
  } finally {
    timer.cancel();
  }
}

/** Source: server/filters/timeout.go. */
const requestTimeout = (): ApiError =>
  new ApiError("Timeout", "Timeout: request did not complete within the allotted timeout", { details: {} });

function errorResponse(error: unknown, { env }: Server): ApiResponse {
  if (!(error instanceof ApiError)) env.log.error("a request failed", { error: (error as Error)?.stack ?? error });
  const status = (error instanceof ApiError ? error : internalError(error)).toStatus();
  const { retryAfterSeconds } = status.details ?? {};
  const response = objectResponse(status, status.code);
  return retryAfterSeconds === undefined
    ? response
    : { ...response, headers: { "retry-after": `${retryAfterSeconds}` } };
}
