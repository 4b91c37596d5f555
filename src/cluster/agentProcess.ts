/**
 * A node's agent: the kubelet in the node's namespaces, and what it runs as built-in images: service proxy and DNS. It
 * reaches the API over a Unix socket, outlives the control plane, and when it is itself started again takes over the
 * containers that run.
 */

import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { node } from "../api/index.ts";
import { GIT_VERSION } from "../apiserver/discovery/version.ts";
import { type Client, createClient } from "../client/client.ts";
import { createSharedInformers } from "../client/sharedInformers.ts";
import { httpsTransport } from "../client/transports/https.ts";
import { RELAY_PREFIX } from "../dns/relay.ts";
import { machineNameservers, parseResolvConf, reachableNameservers } from "../dns/resolvConf.ts";
import { ImageStore } from "../kubelet/images/store.ts";
import { createKubelet } from "../kubelet/kubelet.ts";
import type { BuiltinProgram } from "../kubelet/runtimes/builtin/program.ts";
import { createBuiltinRuntime } from "../kubelet/runtimes/builtin.ts";
import { openOciRuntime } from "../kubelet/runtimes/oci/ociRuntime.ts";
import { diskFiles } from "../kubelet/volumes/diskFiles.ts";
import type { Env } from "../lib/env.ts";
import { joinStreams } from "../lib/joinStreams.ts";
import { healthListeners } from "../proxy/backends/healthListeners.ts";
import { nftablesBackend } from "../proxy/backends/nftables.ts";
import { podNetwork } from "../proxy/network/podNetwork.ts";
import { type AgentConfig, readAgentConfig } from "./agentConfig.ts";
import { serveAgent } from "./agentServer.ts";
import { COMPONENT_IMAGES, DNS_IMAGE, PROXY_IMAGE } from "./builtin/builtinImages.ts";
import { componentProgram } from "./builtin/componentProgram.ts";
import { dnsProgram } from "./builtin/dnsProgram.ts";
import { proxyProgram } from "./builtin/proxyProgram.ts";
import { createServiceWatch, type ServiceWatch } from "./builtin/serviceWatch.ts";
import { dialTcp } from "./dialTcp.ts";
import { readNodeFacts } from "./nodeFacts.ts";
import { writeProcessRecord } from "./processRecord.ts";
import { createLog, createRealEnv } from "./realEnv.ts";

const CLUSTER_DOMAIN = "cluster.local";

export async function runAgent(configPath: string): Promise<void> {
  const config = readAgentConfig(configPath);
  const env = createRealEnv(createLog(1).child({ node: config.node }));
  process.on("uncaughtException", (error) => crash(env, error));
  process.on("unhandledRejection", (error) => crash(env, error));
  // Ctrl-C in the terminal of whoever started the cluster is not meant for us.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  writeProcessRecord(config.processRecord, process.pid);
  const client = createClient(
    httpsTransport({
      server: "https://localhost",
      socketPath: config.apiSocket,
      ca: config.rootCa,
      clientCertificate: config.identity,
    }),
    "kubelet",
  );
  // Read before the containers that need it run, so that they need not wait.
  const informers = createSharedInformers({
    env,
    client,
    selections: [{ kind: node, fieldSelector: `metadata.name=${config.node}` }],
  });
  const watch = createServiceWatch(informers);
  informers.start();
  const [kubelet] = await Promise.all([startKubelet(env, config, client, watch), offerApi(config)]);
  process.on("SIGTERM", () => void kubelet.stop().finally(() => process.exit(0)));
}

/** A bug: say it and end; whoever started us starts us again, and the containers run on. */
function crash(env: Env, error: unknown): never {
  env.log.error("the agent ends because of an unexpected error", { error });
  process.exit(1);
}

async function openRuntime(env: Env, config: AgentConfig, watch: ServiceWatch) {
  const network = await podNetwork({ runDirectory: config.runDirectory, podCidr: config.podCidr });
  const inner = await openOciRuntime({
    env,
    environment: config.environment,
    store: new ImageStore({ directory: config.imagesDirectory, random: env.random }),
    network,
    ociRuntime: config.ociRuntime,
    conmon: config.conmon,
  });
  const backend = () => nftablesBackend({ nodeIP: config.nodeIP, podCidr: config.clusterPodCidr });
  const programs = new Map<string, BuiltinProgram>([
    [DNS_IMAGE, dnsProgram({ env, watch, upstreams: () => forwardTo(config), bindSocket: inner.bindSocket })],
    [PROXY_IMAGE, proxyProgram({ env, nodeName: config.node, watch, backend, openHealthPort: healthListeners })],
    ...Object.entries(COMPONENT_IMAGES).map(([component, image]): [string, BuiltinProgram] => [
      image,
      componentProgram({ env, socketPath: config.componentsSocket, component }),
    ]),
  ]);
  return createBuiltinRuntime({ env, inner, programs, stateDirectory: join(config.runDirectory, "builtin") });
}

async function startKubelet(env: Env, config: AgentConfig, client: Client, watch: ServiceWatch) {
  mkdirSync(config.dataDirectory, { recursive: true });
  const runtime = await openRuntime(env, config, watch);
  const kubelet = createKubelet({
    env,
    client,
    runtime,
    files: diskFiles,
    nodeName: config.node,
    node: readNodeFacts(config),
    directories: { root: join(config.dataDirectory, "kubelet"), podLogs: join(config.dataDirectory, "pod-logs") },
    cluster: { dns: [config.clusterDns], domain: CLUSTER_DOMAIN },
    resolvConf: nodeResolvConf(config),
    hostsFile: existsSync("/etc/hosts") ? readFileSync("/etc/hosts", "utf8") : "127.0.0.1\tlocalhost\n",
    dial: dialTcp,
    version: GIT_VERSION,
    staticPods: config.staticPods,
    restartsDeletedStaticPods: true,
  });
  await serveAgent(config.agentSocket, kubelet.server);
  chmodSync(config.agentSocket, 0o600);
  await kubelet.start();
  return kubelet;
}

const readIfThere = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
const RESOLV_CONF = "/etc/resolv.conf";
const RESOLV_CONF_BEHIND_STUB = "/run/systemd/resolve/resolv.conf";

const reachable = () => reachableNameservers(readIfThere(RESOLV_CONF), readIfThere(RESOLV_CONF_BEHIND_STUB));
const hasRelay = () => machineNameservers(readIfThere(RESOLV_CONF)).length > 0;

/** Whom the cluster's DNS asks for names that are not the cluster's. */
function forwardTo({ resolverSocket }: AgentConfig): readonly string[] {
  const direct = reachable();
  return direct.length === 0 && hasRelay() ? [`${RELAY_PREFIX}${resolverSocket}`] : direct;
}

/** What pods get that use the machine's resolvers; where these are out of reach the cluster's DNS, which reaches them. */
function nodeResolvConf({ clusterDns }: AgentConfig) {
  const { searches, options } = parseResolvConf(readIfThere(RESOLV_CONF));
  const direct = reachable();
  const isOutOfReach = hasRelay();
  return {
    servers: direct.length === 0 && isOutOfReach ? [clusterDns] : direct,
    searches,
    options,
    isReplaced: isOutOfReach,
  };
}

/** Offers the API server's Unix socket to the node's pods, bytes as they are: TLS ends at the API server. */
function offerApi({ nodeIP, apiPort, apiSocket }: AgentConfig): Promise<Server> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (pod) =>
    joinStreams(pod, connect({ path: apiSocket, allowHalfOpen: true })),
  );
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(apiPort, nodeIP, () => resolve(server));
  });
}
