/**
 * A node's agent: kubelet, service proxy and DNS, in the node's namespaces. It reaches the API over a Unix socket, outlives
 * the control plane, and when it is itself started again takes over the containers that run.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { endpointSlice, namespace, service } from "../api/index.ts";
import { GIT_VERSION } from "../apiserver/discovery/version.ts";
import { type Client, createClient } from "../client/client.ts";
import { createSharedInformers, type SharedInformers } from "../client/sharedInformers.ts";
import { httpsTransport } from "../client/transports/https.ts";
import type { DnsView } from "../dns/dnsIndex.ts";
import { parseResolvConf, reachableNameservers } from "../dns/resolvConf.ts";
import { startDns } from "../dns/server.ts";
import { ImageStore } from "../kubelet/images/store.ts";
import { createKubelet } from "../kubelet/kubelet.ts";
import { openOciRuntime } from "../kubelet/runtimes/oci/ociRuntime.ts";
import { diskFiles } from "../kubelet/volumes/diskFiles.ts";
import type { Env } from "../lib/env.ts";
import { runCommand } from "../proxy/backends/command.ts";
import { nftablesBackend } from "../proxy/backends/nftables.ts";
import { podNetwork } from "../proxy/network/podNetwork.ts";
import { createProxy } from "../proxy/proxy.ts";
import { type AgentConfig, readAgentConfig } from "./agentConfig.ts";
import { serveAgent } from "./agentServer.ts";
import { dialTcp } from "./dialTcp.ts";
import { readNodeFacts } from "./nodeFacts.ts";
import { writeProcessRecord } from "./processRecord.ts";
import { createLog, createRealEnv } from "./realEnv.ts";

const DNS_PORT = 53;
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
  const informers = createSharedInformers({ env, client });
  const [kubelet] = await Promise.all([
    startKubelet(env, config, client),
    offerApi(config),
    startNetwork(env, config, informers),
  ]);
  process.on("SIGTERM", () => void kubelet.stop().finally(() => process.exit(0)));
}

/** A bug: say it and end; whoever started us starts us again, and the containers run on. */
function crash(env: Env, error: unknown): never {
  env.log.error("the agent ends because of an unexpected error", { error });
  process.exit(1);
}

async function startKubelet(env: Env, config: AgentConfig, client: Client) {
  mkdirSync(config.dataDirectory, { recursive: true });
  const network = await podNetwork({ runDirectory: config.runDirectory, podCidr: config.podCidr });
  const runtime = await openOciRuntime({
    env,
    environment: config.environment,
    store: new ImageStore({ directory: config.imagesDirectory, random: env.random }),
    network,
    ociRuntime: config.ociRuntime,
    conmon: config.conmon,
  });
  const kubelet = createKubelet({
    env,
    client,
    runtime,
    files: diskFiles,
    nodeName: config.node,
    node: readNodeFacts(config),
    directories: { root: join(config.dataDirectory, "kubelet"), podLogs: join(config.dataDirectory, "pod-logs") },
    cluster: { dns: [config.clusterDns], domain: CLUSTER_DOMAIN },
    resolvConf: nodeResolvConf(),
    hostsFile: existsSync("/etc/hosts") ? readFileSync("/etc/hosts", "utf8") : "127.0.0.1\tlocalhost\n",
    dial: dialTcp,
    version: GIT_VERSION,
  });
  await serveAgent(config.agentSocket, kubelet.server);
  chmodSync(config.agentSocket, 0o600);
  await kubelet.start();
  return kubelet;
}

const readIfThere = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
const RESOLV_CONF = "/etc/resolv.conf";
const RESOLV_CONF_BEHIND_STUB = "/run/systemd/resolve/resolv.conf";

const upstreams = () => reachableNameservers(readIfThere(RESOLV_CONF), readIfThere(RESOLV_CONF_BEHIND_STUB));

function nodeResolvConf() {
  const { searches, options } = parseResolvConf(readIfThere(RESOLV_CONF));
  return { servers: upstreams(), searches, options };
}

/** Offers the API server's Unix socket to the node's pods, bytes as they are: TLS ends at the API server. */
function offerApi({ nodeIP, apiPort, apiSocket }: AgentConfig): Promise<Server> {
  const server = createServer({ noDelay: true }, (pod) => {
    const api = connect({ path: apiSocket });
    pod.on("error", () => api.destroy());
    api.on("error", () => pod.destroy());
    pod.pipe(api).pipe(pod);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(apiPort, nodeIP, () => resolve(server));
  });
}

/** Service rules and DNS, both fed by the same informers. */
async function startNetwork(env: Env, config: AgentConfig, informers: SharedInformers): Promise<void> {
  const services = informers.of(service);
  const slices = informers.of(endpointSlice);
  const namespaces = informers.of(namespace);
  const proxy = createProxy({
    env,
    nodeName: config.node,
    backend: nftablesBackend({ nodeIP: config.nodeIP, podCidr: config.clusterPodCidr }),
  });
  let view: DnsView = { services: [], slices: [], namespaces: [] };
  let isStale = true;
  const changed = () => {
    isStale = true;
    if (services.hasSynced && slices.hasSynced) proxy.sync({ services: services.list(), slices: slices.list() });
  };
  const handler = { onAdd: changed, onUpdate: changed, onDelete: changed };
  services.addHandler(handler);
  slices.addHandler(handler);
  namespaces.addHandler(handler);
  informers.start();
  await informers.synced();
  changed();
  await runCommand(["ip", "address", "replace", `${config.clusterDns}/32`, "dev", "lo"]);
  await startDns({
    env,
    address: config.clusterDns,
    port: DNS_PORT,
    view: () => {
      if (isStale)
        view = {
          services: services.list(),
          slices: slices.list(),
          namespaces: namespaces.list().map(({ metadata }) => metadata.name),
        };
      isStale = false;
      return view;
    },
    upstreams: upstreams(),
  });
  await proxy.settled();
}
