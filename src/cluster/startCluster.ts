/**
 * A whole cluster inside the caller's process: real API server, controllers, scheduler and kubelets, with simulated
 * containers. As many as one likes, each up in milliseconds.
 *
 * With a virtual clock nothing happens by itself: time passes when `advance` says so, and the same seed gives the same
 * history, byte for byte.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthenticator } from "../apiserver/auth/authenticators.ts";
import { type HttpServer, startHttpServer } from "../apiserver/http/server.ts";
import type { Descriptions } from "../apiserver/openapi/typeSchemas.ts";
import type { Client } from "../client/client.ts";
import type { Kubelet } from "../kubelet/kubelet.ts";
import type { Clock, Env, Log } from "../lib/env.ts";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import type { UserInfo } from "../machinery/requests.ts";
import { issueCertificate, type KeyPair } from "../pki/certificates.ts";
import { seededAuthority } from "../pki/seededAuthority.ts";
import { createSigningKey, createTokenSigner } from "../pki/serviceAccountTokens.ts";
import { memoryStorage } from "../storage/engines/memory.ts";
import type { Storage } from "../storage/storage.ts";
import { SERVICE_CIDR } from "./clusterConfig.ts";
import { ADMIN, type ControlPlane, createControlPlane } from "./controlPlane.ts";
import { kubeconfigFor } from "./kubeconfig.ts";
import { realClock, realRandom } from "./realEnv.ts";
import {
  createSimulatedNode,
  LOAD_BALANCER_RANGE,
  nodeUser,
  type SimulatedNodeOptions,
  simulatedEgress,
} from "./simulatedNodes.ts";
import { untilNodesReady } from "./untilNodesReady.ts";

export interface StartClusterOptions {
  /** How many nodes, or each node in detail. Default: 1, named `node-1`. */
  readonly nodes?: number | readonly SimulatedNodeOptions[];
  /** Default: "real". */
  readonly clock?: "real" | "virtual";
  /** With a virtual clock: what all randomness comes from. Default: "skiff". */
  readonly seed?: string;
  /** Where the virtual clock begins, in ms since 1970. Default: 2026-01-01. */
  readonly startMs?: number;
  /** Default: in memory. The caller closes what it hands in. */
  readonly storage?: Storage;
  readonly log?: Log;
}

export interface Cluster extends AsyncDisposable {
  /** As the administrator. */
  readonly client: Client;
  readonly clock: Clock;
  readonly storage: Storage;
  clientFor(user: UserInfo, userAgent?: string): Client;
  /** A kubeconfig for kubectl, helm and other programs; the first call begins to listen on a port of 127.0.0.1. */
  kubeconfig(): Promise<string>;
  /** Lets virtual time pass, and everything happen that falls due. @throws Error with a real clock */
  advance(durationMs: number): Promise<void>;
  /**
   * Waits until `condition` holds: with a virtual clock by going from timer to timer, with a real one by asking again.
   * @throws Error when it does not within `limitMs` (default: an hour of virtual, a minute of real time)
   */
  until(condition: () => boolean | Promise<boolean>, limitMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const NODE_NAME = (index: number) => `node-${index + 1}`;
const API_SERVICE_ADDRESS = "10.96.0.1";
const API_PORT = 6443;
const TOKEN_ISSUER = "https://kubernetes.default.svc.cluster.local";
const UNTIL_REAL_MS = 60_000;
const UNTIL_VIRTUAL_MS = 3_600_000;
const LOOK_AGAIN_MS = 5;

export async function startCluster(options: StartClusterOptions = {}): Promise<Cluster> {
  const virtual = options.clock === "virtual" ? new VirtualClock(options.startMs) : undefined;
  const env: Env = {
    clock: virtual ?? realClock,
    random: virtual === undefined ? realRandom : seededRandom(options.seed ?? "skiff"),
    log: options.log ?? silentLog,
  };
  const storage = options.storage ?? memoryStorage({ env });
  const authority = await seededAuthority(env, "kubernetes");
  const kubelets = new Map<string, Kubelet>();
  const controlPlane = createControlPlane({
    env,
    storage,
    egress: simulatedEgress(kubelets),
    tokenSigner: createTokenSigner(env, { issuer: TOKEN_ISSUER, signingKey: createSigningKey() }),
    rootCa: authority.certificate,
    apiServer: { address: "192.0.2.1", port: API_PORT, serviceAddress: API_SERVICE_ADDRESS },
    serviceCidr: SERVICE_CIDR,
    loadBalancerRange: LOAD_BALANCER_RANGE,
    descriptions: readDescriptions,
  });
  const ownsStorage = options.storage === undefined;
  const cluster = clusterOf({ env, virtual, controlPlane, storage, ownsStorage, authority, kubelets });
  try {
    await controlPlane.apiServer.ready;
    controlPlane.start();
    await startNodes(env, controlPlane, namedNodes(options.nodes ?? 1), kubelets, virtual);
  } catch (error) {
    // What has started must not run on without anybody who could stop it.
    await cluster.stop().catch(() => undefined);
    throw error;
  }
  return cluster;
}

type NamedNode = SimulatedNodeOptions & { readonly name: string };

/** @throws Error when two have the same name */
function namedNodes(wanted: number | readonly SimulatedNodeOptions[]): NamedNode[] {
  const nodes = typeof wanted === "number" ? Array.from({ length: wanted }, (): SimulatedNodeOptions => ({})) : wanted;
  const named = nodes.map((node, index) => ({ ...node, name: node.name ?? NODE_NAME(index) }));
  const twice = named.find(({ name }, index) => named.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new Error(`two nodes have the name ${twice.name}`);
  return named;
}

async function startNodes(
  env: Env,
  controlPlane: ControlPlane,
  nodes: readonly NamedNode[],
  kubelets: Map<string, Kubelet>,
  virtual: VirtualClock | undefined,
): Promise<void> {
  const sinceMs = env.clock.now();
  const failed = Promise.withResolvers<never>();
  for (const [index, node] of nodes.entries()) {
    const { name } = node;
    const kubelet = createSimulatedNode(env, controlPlane.client(nodeUser(name), "kubelet"), { ...node, index });
    kubelets.set(name, kubelet);
    kubelet.start().catch((cause: unknown) => failed.reject(new Error(`node ${name} could not start`, { cause })));
  }
  let isOver = false;
  const ready = Promise.race([
    untilNodesReady(env, controlPlane.client(ADMIN, "skiff"), [...kubelets.keys()], sinceMs),
    failed.promise,
  ]).finally(() => {
    isOver = true;
  });
  await Promise.all([ready, virtual?.advanceUntil(() => isOver, UNTIL_VIRTUAL_MS)]);
}

interface Parts {
  readonly env: Env;
  readonly virtual: VirtualClock | undefined;
  readonly controlPlane: ControlPlane;
  readonly storage: Storage;
  readonly ownsStorage: boolean;
  readonly authority: KeyPair;
  readonly kubelets: ReadonlyMap<string, Kubelet>;
}

function clusterOf({ env, virtual, controlPlane, storage, ownsStorage, authority, kubelets }: Parts): Cluster {
  let http: Promise<{ server: HttpServer; kubeconfig: string }> | undefined;
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    // Whoever asked for it has been told if it failed.
    await (await http?.catch(() => undefined))?.server.close();
    // What stops may wait for a timer: with a virtual clock somebody has to let it fire.
    const stopping = Promise.all([controlPlane.stop(), ...[...kubelets.values()].map((kubelet) => kubelet.stop())]);
    let isOver = false;
    void stopping.finally(() => {
      isOver = true;
    });
    await virtual?.advanceUntil(() => isOver, UNTIL_VIRTUAL_MS);
    await stopping;
    if (ownsStorage) await storage.close();
  };
  const cluster: Cluster = {
    client: controlPlane.client(ADMIN, "skiff-library"),
    clock: env.clock,
    storage,
    clientFor: (user, userAgent = "skiff-library") => controlPlane.client(user, userAgent),
    kubeconfig: async () => {
      if (stopped !== undefined) throw new Error("the cluster has been stopped");
      http ??= listen(env, controlPlane, authority);
      return (await http).kubeconfig;
    },
    advance: (durationMs) => {
      if (virtual === undefined)
        throw new Error('only a virtual clock can be advanced: startCluster({ clock: "virtual" })');
      return virtual.advance(durationMs);
    },
    until: (condition, limitMs) =>
      virtual === undefined
        ? untilReally(env.clock, condition, limitMs ?? UNTIL_REAL_MS)
        : virtual.advanceUntil(condition, limitMs ?? UNTIL_VIRTUAL_MS),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
  return cluster;
}

async function untilReally(clock: Clock, condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const endMs = clock.monotonic() + limitMs;
  while (!(await condition())) {
    if (clock.monotonic() > endMs) throw new Error(`the condition did not come true within ${limitMs} ms`);
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

async function listen(env: Env, controlPlane: ControlPlane, authority: KeyPair) {
  const [serving, admin] = await Promise.all([
    issueCertificate(env, authority, {
      commonName: "kube-apiserver",
      dnsNames: ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
      ips: ["127.0.0.1", API_SERVICE_ADDRESS],
      usages: ["server"],
    }),
    issueCertificate(env, authority, { commonName: ADMIN.name, organizations: ["system:masters"], usages: ["client"] }),
  ]);
  const { apiServer } = controlPlane;
  const server = await startHttpServer({
    env,
    tls: { ...serving, clientAuthority: authority.certificate },
    handle: apiServer.handle,
    authenticate: createAuthenticator({ verifyToken: apiServer.tokens?.verify }),
    upgrade: controlPlane.upgrade,
    listen: [{ host: "127.0.0.1", port: 0 }],
  });
  const url = `https://127.0.0.1:${server.ports[0]}`;
  return {
    server,
    kubeconfig: kubeconfigFor({ cluster: "library", server: url, caCertificate: authority.certificate, client: admin }),
  };
}

/** Beside the bundle, or where the generator puts them. */
export function readDescriptions(): Descriptions {
  const places = ["descriptions.json", "../api/generated/descriptions.json"];
  const found = places.map((place) => join(import.meta.dirname, place)).find(existsSync);
  return found === undefined ? {} : (JSON.parse(readFileSync(found, "utf8")) as Descriptions);
}
