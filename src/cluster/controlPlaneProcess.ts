/**
 * The process behind `skiff up`: makes the nodes' environments, serves the API, runs controllers and scheduler, and starts
 * an agent in each node and starts it again when it ends.
 *
 * Order matters for speed: what does not depend on each other runs at once, and every step reports its time.
 */

import { writeSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { endpointSlice, service as serviceKind } from "../api/index.ts";
import { createAuthenticator } from "../apiserver/auth/authenticators.ts";
import { startHttpServer } from "../apiserver/http/server.ts";
import { createSharedInformers } from "../client/sharedInformers.ts";
import type { Env } from "../lib/env.ts";
import { createTokenSigner } from "../pki/serviceAccountTokens.ts";
import { hostPortListeners } from "../proxy/backends/hostPortListeners.ts";
import { balancersWithEndpoints, hostPorts } from "../proxy/hostPorts.ts";
import { sqliteStorage } from "../storage/engines/sqlite.ts";
import { applyAddons } from "./builtin/applyAddons.ts";
import { serveComponents } from "./builtin/componentServer.ts";
import { type ControlPlaneParts, createControlPlaneComponents } from "./builtin/controlPlaneComponents.ts";
import type { ClusterConfig } from "./clusterConfig.ts";
import { ADMIN, type ControlPlane, createControlPlane } from "./controlPlane.ts";
import { createNodes } from "./createNodes.ts";
import { fullDiskError } from "./fullDisk.ts";
import { type ClusterIdentity, loadIdentity } from "./identity.ts";
import { existingConfig } from "./images.ts";
import { kubeconfigFor, writeKubeconfig } from "./kubeconfig.ts";
import { waitForLock } from "./lock.ts";
import type { Nodes } from "./nodes.ts";
import { type ClusterPaths, clusterPaths } from "./paths.ts";
import { readProcessRecord, removeProcessRecord, writeProcessRecord } from "./processRecord.ts";
import { createLog, createRealEnv } from "./realEnv.ts";
import { readDescriptions } from "./startCluster.ts";
import type { StartMessage } from "./startControlPlane.ts";
import { COULD_NOT_START, isAbandoned, restartsOf } from "./superviseControlPlane.ts";
import { untilNodesReady } from "./untilNodesReady.ts";
import { UserError } from "./userError.ts";

/** Source: kubeadm; the first address of the service range. */
const API_SERVICE_ADDRESS = "10.96.0.1";
const API_PORT_IN_CLUSTER = 6443;
const TOKEN_ISSUER = "https://kubernetes.default.svc.cluster.local";

/** Names under which clients know the API server. Source: kubeadm, GetAPIServerAltNames. */
const SERVER_NAMES = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "localhost",
];

/** DNS and service proxy do not wait longer than this for all nodes: one may be broken. */
const ADDONS_WAIT_MS = 10_000;

/** One that was told to end has this long, and is then killed. */
const PREDECESSOR_ENDS_WITHIN_MS = 10_000;

/** Tells `skiff up`, which may have gone meanwhile. */
function tell(message: StartMessage): void {
  try {
    writeSync(3, `${JSON.stringify(message)}\n`);
  } catch {
    // Nobody listens any more.
  }
}

async function step<T>(title: string, run: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await run();
  tell({ type: "step", title, durationMs: performance.now() - startedMs });
  return result;
}

export async function runControlPlane(name: string): Promise<void> {
  const env = createRealEnv(createLog(1));
  process.on("uncaughtException", (error) => crash(env, error));
  process.on("unhandledRejection", (error) => crash(env, error));
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  const paths = clusterPaths(name);
  const cleanups: (() => Promise<void>)[] = [];
  const end = async (code: number): Promise<never> => {
    for (const clean of cleanups.splice(0).reverse()) {
      await clean().catch((error: unknown) => env.log.error("the control plane could not end cleanly", { error }));
    }
    removeProcessRecord(paths.controlPlaneProcess, process.pid);
    process.exit(code);
  };
  // From the beginning: nodes may never become Ready.
  process.once("SIGTERM", () => void end(0));
  try {
    if (!(await takeOffice(env, name, paths))) return end(0);
    await start(env, existingConfig(name), paths, (clean) => cleanups.push(clean));
  } catch (error) {
    env.log.error("the control plane could not start", { error });
    tell({ type: "failed", message: sentenceOf(error, paths) });
    await end(COULD_NOT_START);
  }
}

/** Of the control planes of one cluster only one does anything at all. @returns false when this one is not wanted any more */
async function takeOffice(env: Env, name: string, paths: ClusterPaths): Promise<boolean> {
  if (isAbandoned(process)) return false;
  // Never released: it goes with this process.
  await waitForLock(`control plane ${paths.data}`, {
    clock: env.clock,
    withinMs: PREDECESSOR_ENDS_WITHIN_MS,
    busy: `another control plane of cluster "${name}" runs`,
  });
  writeProcessRecord(paths.controlPlaneProcess, process.pid);
  const { restarts, endedWith } = restartsOf(process);
  if (restarts > 0) env.log.warn("the control plane has ended and is started again", { restarts, endedWith });
  tell({ type: "begun" });
  // Whoever ended the shell meanwhile may have looked for us too early.
  return !isAbandoned(process);
}

function crash(env: Env, error: unknown): never {
  env.log.error("the control plane ends because of an unexpected error", { error });
  process.exit(1);
}

/** One sentence for the person; the log has the rest. */
function sentenceOf(error: unknown, { logs, data }: ClusterPaths): string {
  const { name, message } = fullDiskError(data) ?? (error as Error);
  const isKnown = name === "UserError" || name === "DamagedStorageError" || name === "StorageLockedError";
  return isKnown
    ? message
    : `the control plane could not start: ${lastLineOf(message)}; see ${join(logs, "control-plane.log")}`;
}

/** Of a command that failed: what it said. */
const lastLineOf = (message: string) => message.trimEnd().split("\n").at(-1);

/** @param onEnd is told how to undo what has been started, as soon as it has been. */
async function start(
  env: Env,
  config: ClusterConfig,
  paths: ClusterPaths,
  onEnd: (clean: () => Promise<void>) => void,
): Promise<void> {
  const components = createControlPlaneComponents({
    env,
    logsDirectory: paths.logs,
    openStore: (own) => sqliteStorage({ env: own, path: paths.store }),
    failed: (error) => crash(env, error),
  });
  const [, nodes] = await Promise.all([
    step("store opened", () => components.openStore()),
    step(config.runtime === "oci" ? "node network ready" : "simulated nodes prepared", () =>
      createNodes(env, config, paths),
    ),
  ]);
  const identity = await step("certificates ready", () =>
    loadIdentity(env, paths.pki, {
      serverNames: SERVER_NAMES,
      serverIps: ["127.0.0.1", API_SERVICE_ADDRESS, ...nodes.addresses],
    }),
  );
  const controlPlane = await step("API server ready", () =>
    components.serve(partsOf(env, config, paths, nodes, identity)),
  );
  onEnd(() => components.stop());
  writeKubeconfig(
    paths.kubeconfig,
    kubeconfigFor({
      cluster: config.name,
      server: `https://127.0.0.1:${config.apiPort}`,
      caCertificate: identity.ca.certificate,
      client: identity.admin,
    }),
  );
  tell({ type: "serving" });
  components.start();
  const channel =
    config.runtime === "oci" ? await serveComponents(paths.componentsSocket, components.served, env.log) : undefined;
  onEnd(async () => {
    channel?.close();
    channel?.closeAllConnections();
  });
  const startedMs = env.clock.now();
  const adopted = config.nodes.filter((node) => readProcessRecord(paths.node(node).process) !== undefined);
  onEnd(await nodes.start({ controlPlane, identity, apiPort: API_PORT_IN_CLUSTER }));
  const admin = controlPlane.client(ADMIN, "skiff");
  const nodesReady = untilNodesReady(env, admin, config.nodes, startedMs, adopted);
  void applyAddons(admin, {
    clusterDns: config.clusterDns,
    nodesReady: Promise.race([nodesReady, env.clock.sleep(ADDONS_WAIT_MS)]),
  }).catch((error: unknown) => env.log.error("DNS and service proxy could not be set up", { error }));
  await step(config.nodes.length === 1 ? "node Ready" : `${config.nodes.length} nodes Ready`, () => nodesReady);
  tell({ type: "ready" });
}

/** What the control plane's components are made of on this machine. */
function partsOf(
  env: Env,
  config: ClusterConfig,
  paths: ClusterPaths,
  nodes: Nodes,
  identity: ClusterIdentity,
): ControlPlaneParts {
  return {
    createControlPlane: (own, storage, logs) =>
      createControlPlane({
        env: own,
        logs,
        storage,
        egress: nodes.egress,
        tokenSigner: createTokenSigner(env, { issuer: TOKEN_ISSUER, signingKey: identity.signingKey }),
        rootCa: identity.ca.certificate,
        apiServer: { address: nodes.apiAddress, port: API_PORT_IN_CLUSTER, serviceAddress: API_SERVICE_ADDRESS },
        serviceCidr: config.serviceCidr,
        descriptions: readDescriptions,
        loadBalancerRange: nodes.loadBalancerRange,
      }),
    listen: (own, current) =>
      startHttpServer({
        env: own,
        tls: { ...identity.server, clientAuthority: identity.ca.certificate },
        handle: async (request, user) => (await current()).apiServer.handle(request, user),
        authenticate: createAuthenticator({
          verifyToken: async (token) => (await current()).apiServer.tokens?.verify(token),
        }),
        upgrade: async (request, user, raw) => (await current()).upgrade(request, user, raw),
        listen: [{ host: "127.0.0.1", port: config.apiPort }, { path: paths.apiSocket }],
      }).catch((cause: NodeJS.ErrnoException) => {
        throw cause.code === "EADDRINUSE" ? portTaken(config, cause) : cause;
      }),
    startBeside: (controlPlane) => offerHostPorts(env, config, controlPlane, nodes),
  };
}

const portTaken = ({ apiPort, name }: ClusterConfig, cause: unknown) =>
  new UserError(`port ${apiPort} on 127.0.0.1 is in use by another program, and cluster "${name}" needs it`, { cause });

/** NodePorts on this machine's loopback, which a person tries first. */
function offerHostPorts(env: Env, config: ClusterConfig, controlPlane: ControlPlane, nodes: Nodes) {
  const [firstAddress] = nodes.addresses;
  if (firstAddress === undefined) return undefined;
  const addresses = new Map(config.nodes.map((name, index) => [name, nodes.addresses[index]]));
  const addressOf = (name = "") => addresses.get(name) ?? firstAddress;
  const ports = hostPorts({ open: hostPortListeners({ addressOf, clock: env.clock }), log: env.log });
  const informers = createSharedInformers({ env, client: controlPlane.client(ADMIN, "skiff") });
  const services = informers.of(serviceKind);
  const slices = informers.of(endpointSlice);
  const sync = () => {
    const view = { services: services.list(), slices: slices.list() };
    void ports.sync(view);
    nodes.routeBalancers?.(balancersWithEndpoints(view)).catch((error: unknown) => {
      env.log.warn("load balancers' addresses could not be led to the nodes with endpoints", { error: String(error) });
    });
  };
  services.addHandler({ onAdd: sync, onUpdate: sync, onDelete: sync });
  slices.addHandler({ onAdd: sync, onUpdate: sync, onDelete: sync });
  informers.start();
  return {
    stop: async () => {
      await informers.stop();
      await ports.close();
    },
  };
}
