/** Nodes with real containers: namespaces and networks on this machine, and an agent process in each. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { exchange } from "../dns/exchange.ts";
import { createForwarder } from "../dns/forwarder.ts";
import { startRelay } from "../dns/relay.ts";
import { machineNameservers } from "../dns/resolvConf.ts";
import { detectCgroups } from "../kubelet/nodeEnvironment/detectCgroups.ts";
import {
  createNodeEnvironment,
  enterCommand,
  type NodeEnvironment,
} from "../kubelet/nodeEnvironment/nodeEnvironment.ts";
import type { Env } from "../lib/env.ts";
import { findProgram } from "../lib/findProgram.ts";
import { balancerRoutes } from "../proxy/network/balancerRoutes.ts";
import { createClusterNetwork } from "../proxy/network/clusterNetwork.ts";
import { type AgentConfig, writeAgentConfig } from "./agentConfig.ts";
import { agentEgress } from "./agentEgress.ts";
import { controlPlanePods } from "./builtin/controlPlanePods.ts";
import type { ClusterConfig } from "./clusterConfig.ts";
import { INOTIFY_INSTANCES_FILE, INOTIFY_INSTANCES_MIN } from "./doctor.ts";
import type { Nodes, NodesStart } from "./nodes.ts";
import type { ClusterPaths } from "./paths.ts";
import { skiffArguments } from "./skiffArguments.ts";
import { superviseAgent } from "./superviseAgent.ts";
import { typedCommand } from "./typedCommand.ts";
import { UserError } from "./userError.ts";

/** "10.244.0.0/16" and 3 → "10.244.3.0/24". Source: node-cidr-mask-size 24. */
const podCidrOf = (clusterCidr: string, index: number): string => {
  const [a, b] = clusterCidr.split(".");
  return `${a}.${b}.${index}.0/24`;
};

interface RealNode {
  readonly name: string;
  readonly index: number;
  readonly podCidr: string;
  readonly environment: NodeEnvironment;
}

export async function createRealNodes(env: Env, config: ClusterConfig, paths: ClusterPaths): Promise<Nodes> {
  raiseInotifyLimit(env);
  const nodes = await Promise.all(config.nodes.map((name, index) => createNode(env, config, paths, name, index)));
  const network = await createClusterNetwork({
    cluster: config.name,
    runDirectory: paths.run,
    serviceCidr: config.serviceCidr,
    podCidr: config.podCidr,
    nodes: nodes.map(({ name, index, podCidr, environment }) => ({
      name,
      index,
      podCidr,
      netnsPath: environment.networkNamespace,
    })),
  });
  const addresses = nodes.map(({ name }) => network.nodeIPs.get(name) as string);
  const { loadBalancerRange } = network;
  const routes = balancerRoutes({ runDirectory: paths.run, loadBalancerRange });
  const sockets = new Map(nodes.map(({ name }) => [name, paths.node(name).agentSocket]));
  return {
    addresses,
    apiAddress: addresses[0] as string,
    loadBalancerRange,
    egress: agentEgress(sockets),
    routeBalancers: (wanted) =>
      routes(
        new Map(
          [...wanted].flatMap(([address, name]) => {
            const node = nodes.find((one) => one.name === name);
            if (node === undefined) return [];
            return [[address, { index: node.index, address: addresses[node.index] as string }]];
          }),
        ),
      ),
    start: async (parts) => {
      const relay = await startResolverRelay(env, paths.resolverSocket);
      const agents = await Promise.all(
        nodes.map((node, index) => startAgent(env, config, paths, parts, node, addresses[index] as string)),
      );
      return async () => {
        await Promise.all(agents.map((stop) => stop()));
        relay.close();
      };
    },
  };
}

/** For resolvers that only this machine itself reaches, now or later. */
function startResolverRelay(env: Env, path: string): Promise<Server> {
  const upstreams = () => machineNameservers(existsSync(RESOLV_CONF) ? readFileSync(RESOLV_CONF, "utf8") : "");
  return startRelay(path, createForwarder(env, upstreams, exchange));
}

const RESOLV_CONF = "/etc/resolv.conf";

/** conmon uses one instance per container; many machines allow 128 to a user. */
function raiseInotifyLimit(env: Env): void {
  if (Number(readFileSync(INOTIFY_INSTANCES_FILE, "utf8")) >= INOTIFY_INSTANCES_MIN) return;
  try {
    writeFileSync(INOTIFY_INSTANCES_FILE, `${INOTIFY_INSTANCES_MIN}`);
  } catch (error) {
    env.log.warn("the number of inotify instances could not be raised; many containers may fail to start", { error });
  }
}

async function createNode(
  env: Env,
  config: ClusterConfig,
  paths: ClusterPaths,
  name: string,
  index: number,
): Promise<RealNode> {
  const { run, data } = paths.node(name);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const environment = await createNodeEnvironment({
    runDirectory: run,
    dataDirectory: data,
    cluster: config.name,
    node: name,
    clock: env.clock,
  });
  return { name, index, podCidr: podCidrOf(config.podCidr, index), environment };
}

function requireProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new UserError(`${name} is not installed; run: ${typedCommand("doctor")}`);
  return path;
}

/** Starts the node's agent, or takes over one that runs, and looks after it. @returns how to stop it */
async function startAgent(
  env: Env,
  config: ClusterConfig,
  paths: ClusterPaths,
  { identity, apiPort }: NodesStart,
  node: RealNode,
  nodeIP: string,
): Promise<() => Promise<void>> {
  const place = paths.node(node.name);
  const agentConfig: AgentConfig = {
    cluster: config.name,
    node: node.name,
    nodeIP,
    podCidr: node.podCidr,
    clusterPodCidr: config.podCidr,
    clusterDns: config.clusterDns,
    isControlPlane: node.index === 0,
    apiSocket: paths.apiSocket,
    apiPort,
    componentsSocket: paths.componentsSocket,
    resolverSocket: paths.resolverSocket,
    staticPods:
      node.index > 0
        ? []
        : controlPlanePods({
            ...config,
            cluster: config.name,
            advertiseAddress: nodeIP,
            port: apiPort,
            store: paths.store,
          }),
    rootCa: identity.ca.certificate,
    identity: await identity.node(node.name, [nodeIP]),
    agentSocket: place.agentSocket,
    processRecord: place.process,
    dataDirectory: place.data,
    runDirectory: place.run,
    imagesDirectory: paths.images,
    ociRuntime: requireProgram(config.ociRuntime ?? "crun"),
    conmon: requireProgram("conmon"),
    environment: node.environment,
  };
  writeAgentConfig(place.config, agentConfig);
  const command = enterCommand(
    node.environment,
    [process.execPath, ...skiffArguments(), "agent", place.config],
    detectCgroups(env.clock),
  );
  return superviseAgent(env, { ...place, name: node.name, command });
}
