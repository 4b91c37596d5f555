/** Nodes with real containers: namespaces and networks on this machine, and an agent process in each. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { detectCgroups } from "../kubelet/nodeEnvironment/detectCgroups.ts";
import {
  createNodeEnvironment,
  enterCommand,
  type NodeEnvironment,
} from "../kubelet/nodeEnvironment/nodeEnvironment.ts";
import type { Env } from "../lib/env.ts";
import { createClusterNetwork } from "../proxy/network/clusterNetwork.ts";
import { type AgentConfig, writeAgentConfig } from "./agentConfig.ts";
import { agentEgress } from "./agentEgress.ts";
import { controlPlanePods } from "./builtin/controlPlanePods.ts";
import type { ClusterConfig } from "./clusterConfig.ts";
import { findProgram, INOTIFY_INSTANCES_FILE, INOTIFY_INSTANCES_MIN } from "./doctor.ts";
import type { Nodes, NodesStart } from "./nodes.ts";
import type { ClusterPaths } from "./paths.ts";
import { readProcessRecord, signalProcess } from "./processRecord.ts";
import { skiffArguments } from "./skiffArguments.ts";
import { UserError } from "./userError.ts";

/** An agent that ends is started again after this, doubled each time it ends soon. */
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 30_000;
/** An agent that has run this long starts the count anew. */
const RAN_WELL_MS = 60_000;

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
  const sockets = new Map(nodes.map(({ name }) => [name, paths.node(name).agentSocket]));
  return {
    addresses,
    apiAddress: addresses[0] as string,
    loadBalancerRange: network.loadBalancerRange,
    egress: agentEgress(sockets),
    start: async (parts) => {
      const agents = await Promise.all(
        nodes.map((node, index) => startAgent(env, config, paths, parts, node, addresses[index] as string)),
      );
      return async () => {
        await Promise.all(agents.map((stop) => stop()));
      };
    },
  };
}

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
  if (path === undefined) throw new UserError(`${name} is not installed; run: skiff doctor`);
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

interface Supervised {
  readonly name: string;
  readonly command: readonly string[];
  readonly process: string;
  readonly agentSocket: string;
  readonly log: string;
}

function superviseAgent(env: Env, agent: Supervised): () => Promise<void> {
  let isStopping = false;
  let restartMs = RESTART_FIRST_MS;
  const run = async (): Promise<void> => {
    const startedMs = env.clock.monotonic();
    await ended(agent);
    if (isStopping) return;
    const ranMs = env.clock.monotonic() - startedMs;
    restartMs = ranMs >= RAN_WELL_MS ? RESTART_FIRST_MS : Math.min(restartMs * 2, RESTART_MAX_MS);
    env.log.warn("a node's agent has ended and is started again", { node: agent.name, ranMs, restartMs });
    await env.clock.sleep(restartMs);
    if (!isStopping) void run();
  };
  void run();
  return async () => {
    isStopping = true;
    const record = readProcessRecord(agent.process);
    if (record !== undefined) signalProcess(record, "SIGTERM");
  };
}

/** Resolves when the agent ends, the one that runs already or a new one. */
function ended(agent: Supervised): Promise<void> {
  return readProcessRecord(agent.process) !== undefined && existsSync(agent.agentSocket)
    ? connectionLost(agent)
    : childEnded(spawnAgent(agent));
}

function spawnAgent({ command, log }: Supervised): ChildProcess {
  const output = openSync(log, "a", 0o600);
  const [program, ...args] = command as [string, ...string[]];
  // In a session of its own: it outlives this process.
  const child = spawn(program, args, { detached: true, stdio: ["ignore", output, output], cwd: "/" });
  closeSync(output);
  child.unref();
  return child;
}

const childEnded = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });

/** A connection that stays open as long as the agent lives: no polling. */
const connectionLost = ({ agentSocket }: Supervised): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ path: agentSocket });
    socket.on("error", () => undefined);
    socket.once("close", () => resolve());
  });
