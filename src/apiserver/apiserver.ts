/**
 * The API server: one function from a request and a user to a response, over a store.
 *
 * Reads come from a watch cache, which the store's watch alone feeds; writes go to the store and resolve once the cache
 * has seen them. Objects and their bytes are immutable and shared with everybody in the process. There is no network
 * here (see `http/`), and no kind is known by name outside definitions, hooks and admission plugins.
 *
 * Absent: audit, flow control by priority (one queue for reads and one for writes instead), NodeRestriction, custom
 * resources and webhooks.
 */
import type { Env } from "../lib/env.ts";
import type { AnyKind } from "../machinery/defineKind.ts";
import { ApiError } from "../machinery/errors.ts";
import type { ApiHandler, UserInfo } from "../machinery/requests.ts";
import type { Schemas } from "../machinery/schema.ts";
import type { TokenSigner } from "../pki/serviceAccountTokens.ts";
import type { Storage } from "../storage/storage.ts";
import { type AdmissionPluginFactory, admissionChain } from "./admission/chain.ts";
import { type AllocatorOptions, serviceAllocation } from "./allocators/serviceAllocation.ts";
import { type Authorizer, privilegedAuthorizer, unionAuthorizer } from "./auth/authorizer.ts";
import { componentAuthorizer } from "./auth/componentAuthorizer.ts";
import { grantHooks } from "./auth/grants.ts";
import { nodeAuthorizer } from "./auth/nodeAuthorizer.ts";
import { rbacAuthorizer } from "./auth/rbacAuthorizer.ts";
import { bootstrap } from "./bootstrap/bootstrap.ts";
import { createCodecs, jsonParser, yamlParser } from "./codecs.ts";
import type { Server } from "./context.ts";
import { createDiscovery } from "./discovery/discovery.ts";
import type { HealthCheck } from "./health.ts";
import { protobufParser } from "./protobufParser.ts";
import { createReader, type Reader } from "./reader.ts";
import { createRequestHandler, type Route } from "./requestHandler.ts";
import { createResources, type Resources } from "./resources.ts";
import { reviews } from "./reviews/reviews.ts";
import type { SubresourceHandler } from "./router.ts";
import { History } from "./store/history.ts";
import { podBinding } from "./subresources/binding.ts";
import { bindings } from "./subresources/bindings.ts";
import { type MayEvict, podEviction } from "./subresources/eviction.ts";
import { scale } from "./subresources/scale.ts";
import { serviceAccountToken } from "./subresources/token.ts";
import { createTokens, type Tokens } from "./tokens.ts";
import type { VirtualResource } from "./virtualResources.ts";
import { createFieldManagers } from "./write/fieldManagers.ts";
import { type WriteHook, writeHooks } from "./write/hooks.ts";
import { namespaceDeletion } from "./write/namespaceDeletion.ts";

export interface ApiServerOptions {
  readonly env: Env;
  readonly storage: Storage;
  readonly kinds: readonly AnyKind[];
  readonly schemas: Schemas;
  /** Plugins in their order, as in `defaultAdmission`. None by default. */
  readonly admission?: readonly AdmissionPluginFactory[];
  /** Asked after those for system:masters, our components, nodes and RBAC. */
  readonly authorizers?: readonly Authorizer[];
  /** Makes and checks service-account tokens. */
  readonly tokenSigner?: TokenSigner;
  /** Makes the default namespaces, roles, priority classes and the `kubernetes` Service. */
  readonly bootstrap?: boolean;
  readonly services?: AllocatorOptions;
  /** Of kinds with a state of their own, beside Services and Namespaces. */
  readonly hooks?: (reader: Reader) => readonly WriteHook[];
  /** exec, attach, log, port-forward and proxy. */
  readonly subresources?: readonly SubresourceHandler[];
  readonly virtualResources?: readonly VirtualResource[];
  /** Other paths: OpenAPI, metrics. */
  readonly routes?: readonly Route[];
  readonly healthChecks?: readonly HealthCheck[];
  readonly mayEvict?: MayEvict;
  /** host:port, as discovery tells it. */
  readonly serverAddress?: string;
}

export interface ApiServer {
  readonly handle: ApiHandler;
  readonly resources: Resources;
  readonly reader: Reader;
  /** Undefined without a `tokenSigner`. */
  readonly tokens: Tokens | undefined;
  readonly authorize: Authorizer;
  /** Resolves once the caches are filled and what must be there is there. Requests before that wait. */
  readonly ready: Promise<void>;
  /** Ends every watch; the store is the caller's to close. */
  close(): Promise<void>;
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { env, tokenSigner } = options;
  const history = new History(env, options.storage);
  const resources = createResources(history);
  const reader = createReader(resources, () => history.waitUntilFresh());
  const codecs = createCodecs(options.schemas, [jsonParser, yamlParser, protobufParser(options.schemas)]);
  const authorize = authorizerOf(options, reader);
  const hooks = [
    namespaceDeletion,
    ...grantHooks(reader, authorize),
    serviceAllocation(env, reader, options.services),
    ...(options.hooks?.(reader) ?? []),
  ];
  const server: Server = {
    env,
    history,
    resources,
    reader,
    codecs,
    admission: admissionChain((options.admission ?? []).map((make) => make({ env, reader }))),
    hooks: writeHooks(hooks),
    fieldManagers: createFieldManagers(codecs),
    authorize,
    tokens: tokenSigner === undefined ? undefined : createTokens(tokenSigner, reader),
  };
  return startServer(server, options);
}

function startServer(server: Server, options: ApiServerOptions): ApiServer {
  const { resources, history, reader, authorize, tokens } = server;
  const virtual = [...reviews, bindings, ...(options.virtualResources ?? [])];
  const serverAddress = options.serverAddress ?? "127.0.0.1:6443";
  const state = { isReady: false, isClosing: false };
  const handle = createRequestHandler(server, {
    discovery: createDiscovery({ resources, virtual, serverAddress }),
    serverAddress,
    virtual,
    subresources: subresourcesOf(options),
    routes: options.routes ?? [],
    healthChecks: [...ownChecks(state), ...(options.healthChecks ?? [])],
  });
  const ready = start(server, options, handle).then(() => {
    state.isReady = true;
  });
  // Whoever waits for it hears of it; nobody has to.
  ready.catch((error) => server.env.log.error("the API server could not start", { error: (error as Error).message }));
  const whenReady: ApiHandler = async (request, user: UserInfo) => {
    if (!state.isReady && !isProbe(request.path)) await ready;
    return handle(request, user);
  };
  const close = async () => {
    state.isClosing = true;
    history.close();
  };
  return { handle: whenReady, resources, reader, tokens, authorize, ready, close };
}

const isProbe = (path: string) => /^\/(healthz|livez|readyz)(\/|$)/.test(path);

async function start(server: Server, options: ApiServerOptions, handle: ApiHandler): Promise<void> {
  // Those that are another form of what is stored come after it, for it says what the cache is indexed by.
  const stored = options.kinds.filter(({ storedAs }) => storedAs === undefined);
  const others = options.kinds.filter(({ storedAs }) => storedAs !== undefined);
  for (const kind of [...stored, ...others]) await server.resources.add(kind);
  await server.history.start();
  for (const { repair } of server.hooks.all) await repair?.();
  for (const { group, plural, afterDelete } of server.hooks.all) {
    if (afterDelete === undefined) continue;
    server.resources.findAny(group, plural)?.store.cache.onDelete(afterDelete);
  }
  if (options.bootstrap === true) await bootstrap(server, handle);
}

const authorizerOf = ({ authorizers = [] }: ApiServerOptions, reader: Reader): Authorizer =>
  unionAuthorizer([
    privilegedAuthorizer,
    componentAuthorizer,
    nodeAuthorizer(reader),
    rbacAuthorizer(reader),
    ...authorizers,
  ]);

const subresourcesOf = ({ subresources = [], mayEvict = () => undefined }: ApiServerOptions) => [
  scale,
  podBinding,
  podEviction(mayEvict),
  serviceAccountToken,
  ...subresources,
];

/** Source: kube-apiserver's list of checks, as far as they stand for something here. */
function ownChecks(state: { readonly isReady: boolean; readonly isClosing: boolean }): readonly HealthCheck[] {
  const fail = (condition: boolean, message: string) => {
    if (condition) throw new ApiError("ServiceUnavailable", message);
  };
  return [
    { name: "ping", check: () => undefined },
    { name: "etcd", check: () => fail(!state.isReady, "the store is being read") },
    { name: "informer-sync", readinessOnly: true, check: () => fail(!state.isReady, "caches are being filled") },
    { name: "shutdown", readinessOnly: true, check: () => fail(state.isClosing, "process is shutting down") },
  ];
}
