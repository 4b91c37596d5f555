/** Nodes without containers, in the control plane's own process: where real ones are impossible, and in tests. */
import { createServer, type Server } from "node:http";
import { duplexPair } from "node:stream";
import type { Pod } from "../api/generated/core-v1.ts";
import type { Egress } from "../apiserver/connect/egress.ts";
import { GIT_VERSION } from "../apiserver/discovery/version.ts";
import type { Client } from "../client/client.ts";
import { createKubelet, type Kubelet } from "../kubelet/kubelet.ts";
import { createSimulatedRuntime, type SimulatedRuntimeOptions } from "../kubelet/runtimes/simulated.ts";
import { createMemoryFiles } from "../kubelet/volumes/memoryFiles.ts";
import type { Env } from "../lib/env.ts";
import type { UserInfo } from "../machinery/requests.ts";
import { controlPlanePods } from "./builtin/controlPlanePods.ts";
import type { ClusterConfig } from "./clusterConfig.ts";
import { CONTROL_PLANE_LABELS } from "./nodeFacts.ts";
import type { Nodes } from "./nodes.ts";
import type { ClusterPaths } from "./paths.ts";

/** 254 addresses that RFC 5737 keeps for documentation, then those that RFC 2544 keeps for benchmarks: nothing answers. */
export const nodeAddress = (index: number): string =>
  index < 254 ? `192.0.2.${index + 1}` : `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
/** As above, TEST-NET-2. */
export const LOAD_BALANCER_RANGE = "198.51.100.0/24";
/** The cluster's own range first; 32,768 nodes have one of their own. */
export const podCidr = (index: number): string => `10.${128 + ((116 + (index >> 8)) % 128)}.${index & 255}.0/24`;

export interface SimulatedNodeOptions {
  readonly name?: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly behaviour?: SimulatedRuntimeOptions["behaviour"];
}

interface SimulatedNode extends SimulatedNodeOptions {
  readonly name: string;
  readonly index: number;
  readonly staticPods?: readonly Pod[];
}

/** Source: nothing upstream; enough that ordinary manifests fit. */
const CPUS_DEFAULT = 8;
const MEMORY_DEFAULT = 16 * 2 ** 30;

/** One kubelet with simulated containers and files in memory. */
export function createSimulatedNode(env: Env, client: Client, node: SimulatedNode): Kubelet {
  const files = createMemoryFiles();
  const runtime = createSimulatedRuntime({
    env,
    files,
    podCidr: podCidr(node.index),
    ...(node.behaviour !== undefined && { behaviour: node.behaviour }),
  });
  return createKubelet({
    env,
    client,
    files,
    runtime,
    nodeName: node.name,
    node: {
      addresses: [
        { type: "InternalIP", address: nodeAddress(node.index) },
        { type: "Hostname", address: node.name },
      ],
      cpus: node.cpus ?? CPUS_DEFAULT,
      memoryBytes: node.memoryBytes ?? MEMORY_DEFAULT,
      ephemeralStorageBytes: 100 * 2 ** 30,
      podCidr: podCidr(node.index),
      architecture: "amd64",
      ...(node.labels !== undefined && { labels: node.labels }),
    },
    directories: { root: "/var/lib/kubelet", podLogs: "/var/log/pods" },
    cluster: { dns: ["10.96.0.10"], domain: "cluster.local" },
    dial: runtime.dialAddress,
    version: GIT_VERSION,
    ...(node.staticPods !== undefined && { staticPods: node.staticPods, restartsDeletedStaticPods: true }),
  });
}

export const nodeUser = (name: string): UserInfo => ({
  name: `system:node:${name}`,
  groups: ["system:nodes", "system:authenticated"],
});

/** Connections to kubelets in this process: each is a pair of streams, one end of which the kubelet's server takes. */
export function simulatedEgress(kubelets: ReadonlyMap<string, Kubelet>): Egress {
  const servers = new Map<string, Server>();
  const serverOf = (name: string, kubelet: Kubelet): Server => {
    const known = servers.get(name);
    if (known !== undefined) return known;
    const http = kubelet.server;
    const server = createServer((request, response) => http.handle(request, response));
    server.on("upgrade", (request, socket, head) => http.upgrade(request, socket, head));
    servers.set(name, server);
    return server;
  };
  return {
    kubelet: async (name) => {
      const kubelet = kubelets.get(name);
      if (kubelet === undefined) throw new Error(`node ${name} is not one of this cluster's`);
      const [ours, theirs] = duplexPair();
      serverOf(name, kubelet).emit("connection", theirs);
      return ours;
    },
    dial: async (host, port) => {
      throw new Error(`dial tcp ${host}:${port}: simulated pods have no network`);
    },
  };
}

/** For `skiff up` with `--runtime simulated`. */
export async function createSimulatedNodes(env: Env, config: ClusterConfig, paths: ClusterPaths): Promise<Nodes> {
  const kubelets = new Map<string, Kubelet>();
  return {
    addresses: [],
    apiAddress: nodeAddress(0),
    loadBalancerRange: LOAD_BALANCER_RANGE,
    egress: simulatedEgress(kubelets),
    start: async ({ controlPlane, apiPort }) => {
      const first = {
        labels: CONTROL_PLANE_LABELS,
        staticPods: controlPlanePods({
          ...config,
          cluster: config.name,
          advertiseAddress: nodeAddress(0),
          port: apiPort,
          store: paths.store,
        }),
      };
      for (const [index, name] of config.nodes.entries()) {
        const node = { name, index, ...(index === 0 && first) };
        const kubelet = createSimulatedNode(env, controlPlane.client(nodeUser(name), "kubelet"), node);
        kubelets.set(name, kubelet);
        void kubelet
          .start()
          .catch((error: unknown) => env.log.error("a simulated node could not start", { name, error }));
      }
      return async () => {
        await Promise.all([...kubelets.values()].map((kubelet) => kubelet.stop()));
      };
    },
  };
}
