/**
 * The control plane as one value: store, API server, controllers and scheduler joined together, with nothing of a real
 * machine in it. The process behind `skiff up` and the library's in-process clusters differ only in what they pass in.
 */
import { kinds } from "../api/index.ts";
import { schemas } from "../api/schemas.ts";
import table from "../api/table.json" with { type: "json" };
import { defaultAdmission } from "../apiserver/admission/defaultAdmission.ts";
import { type ApiServer, createApiServer } from "../apiserver/apiserver.ts";
import { attributesOf, forbiddenError } from "../apiserver/auth/authorizer.ts";
import { impersonate } from "../apiserver/auth/impersonation.ts";
import type { Egress } from "../apiserver/connect/egress.ts";
import { connectSubresources } from "../apiserver/connect/podSubresources.ts";
import { POD_STREAM_SUBRESOURCES } from "../apiserver/connect/podUpgrade.ts";
import { connectUpgrade } from "../apiserver/connect/upgrade.ts";
import { watchUpgrade } from "../apiserver/connect/watchUpgrade.ts";
import { noCustomResources } from "../apiserver/discovery/noCustomResources.ts";
import { GIT_VERSION } from "../apiserver/discovery/version.ts";
import type { RawUpgrade } from "../apiserver/http/server.ts";
import { createOpenApi } from "../apiserver/openapi/openApi.ts";
import type { Descriptions } from "../apiserver/openapi/typeSchemas.ts";
import { parseRequest, type RequestInfo } from "../apiserver/requestInfo.ts";
import { type Client, createClient } from "../client/client.ts";
import { createSharedInformers } from "../client/sharedInformers.ts";
import { directTransport } from "../client/transports/direct.ts";
import { startControllers } from "../controllers/index.ts";
import type { Env, Log } from "../lib/env.ts";
import type { ApiRequest, UserInfo } from "../machinery/requests.ts";
import type { TokenSigner } from "../pki/serviceAccountTokens.ts";
import { startScheduler } from "../scheduler/scheduler.ts";
import type { Storage } from "../storage/storage.ts";

export interface ControlPlaneOptions {
  readonly env: Env;
  readonly storage: Storage;
  readonly egress: Egress;
  readonly tokenSigner: TokenSigner;
  /** PEM of the authority that signed the API server's certificate. */
  readonly rootCa: string;
  /** Where pods reach the API: the endpoint of the `kubernetes` Service. */
  readonly apiServer: { readonly address: string; readonly port: number; readonly serviceAddress: string };
  readonly serviceCidr: string;
  /** Addresses for Services of type LoadBalancer. */
  readonly loadBalancerRange: string;
  /** Documentation of API types, read when somebody asks for OpenAPI. */
  readonly descriptions: () => Descriptions;
  /** Components that do not log where the API server does. */
  readonly logs?: Readonly<Partial<Record<ActingComponent, Log>>>;
}

/** What acts unasked. */
export type ActingComponent = "kube-controller-manager" | "kube-scheduler";

export interface ControlPlane {
  readonly apiServer: ApiServer;
  /** A client in this process, with that user's rights. */
  client(user: UserInfo, userAgent: string): Client;
  /** Serves an upgraded connection for a user. @throws ApiError while nothing has been sent */
  upgrade(request: ApiRequest, user: UserInfo, raw: RawUpgrade): Promise<void>;
  /** Starts what acts unasked, all of it or one; before that the API only answers. Twice is harmless. */
  start(component?: ActingComponent): void;
  stopComponent(component: ActingComponent): Promise<void>;
  stop(): Promise<void>;
}

export const ADMIN: UserInfo = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };
const component = (name: string): UserInfo => ({ name: `system:${name}`, groups: ["system:authenticated"] });

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { env, storage, egress, tokenSigner } = options;
  const openApi = createOpenApi({
    kinds: () => kinds,
    table,
    descriptions: options.descriptions,
    version: GIT_VERSION,
  });
  const apiServer = createApiServer({
    env,
    storage,
    kinds,
    schemas,
    admission: defaultAdmission,
    tokenSigner,
    bootstrap: true,
    services: { serviceCidr: options.serviceCidr },
    subresources: connectSubresources(egress),
    routes: [{ prefix: "/openapi", handle: async (request) => openApi(request) }, noCustomResources],
    serverAddress: `${options.apiServer.address}:${options.apiServer.port}`,
  });
  const client = (user: UserInfo, userAgent: string) =>
    createClient(directTransport(apiServer.handle, user), userAgent);
  const running = new Map<ActingComponent, Running>();
  const starters: Readonly<Record<ActingComponent, (env: Env) => Running>> = {
    "kube-controller-manager": (own) => startControllerManager({ ...options, env: own }, client),
    "kube-scheduler": (own) => startSchedulerComponent(own, client),
  };
  const start = (name: ActingComponent) => {
    if (!running.has(name)) running.set(name, starters[name]({ ...env, log: options.logs?.[name] ?? env.log }));
  };
  const stopComponent = async (name: ActingComponent) => {
    const component = running.get(name);
    running.delete(name);
    await component?.stop();
  };

  return {
    apiServer,
    client,
    upgrade: async (request, sender, raw) => {
      await apiServer.ready;
      const info = parseRequest(request);
      if (info.verb === "watch") return watchUpgrade(await apiServer.handle(request, sender), raw);
      const user = impersonate(request, sender, info, apiServer.authorize);
      for (const verb of upgradeVerbs(info)) {
        const attributes = attributesOf({ ...info, verb }, user);
        const decision = apiServer.authorize(attributes);
        if (!decision.isAllowed) throw forbiddenError(attributes, decision.reason);
      }
      await connectUpgrade({ resources: apiServer.resources, env }, info, egress, raw);
    },
    start: (component) => {
      for (const name of component === undefined ? componentNames(starters) : [component]) start(name);
    },
    stopComponent,
    stop: async () => {
      await Promise.all(componentNames(starters).map(stopComponent));
      await apiServer.close();
    },
  };
}

/**
 * WebSockets begin with a GET, and still do what only `create` allows. Source: AuthorizePodWebsocketUpgradeCreatePermission,
 * on since 1.35.
 */
const upgradeVerbs = ({ verb, resource, subresource }: RequestInfo): readonly string[] =>
  verb === "get" && resource === "pods" && POD_STREAM_SUBRESOURCES.some((one) => one === subresource)
    ? [verb, "create"]
    : [verb];

type ClientFor = ControlPlane["client"];
interface Running {
  stop(): Promise<void>;
}
const componentNames = (of: object) => Object.keys(of) as ActingComponent[];

function startControllerManager(options: ControlPlaneOptions, clientFor: ClientFor) {
  const { env } = options;
  const client = clientFor(component("kube-controller-manager"), "kube-controller-manager");
  const informers = createSharedInformers({ env, client });
  const controllers = startControllers({
    env,
    client,
    informers,
    apiServer: options.apiServer,
    rootCa: options.rootCa,
    loadBalancerRange: options.loadBalancerRange,
  });
  informers.start();
  return {
    stop: async () => {
      await controllers.stop();
      await informers.stop();
    },
  };
}

function startSchedulerComponent(env: Env, clientFor: ClientFor) {
  const client = clientFor(component("kube-scheduler"), "kube-scheduler");
  const informers = createSharedInformers({ env, client });
  const scheduler = startScheduler({ env, client, informers });
  informers.start();
  return {
    stop: async () => {
      await scheduler.stop();
      await informers.stop();
    },
  };
}
