/** What `skiff status` says, and the live line of `skiff up --foreground`. */
import { node as nodeKind, pod as podKind } from "../api/index.ts";
import { adminClient } from "./apiAccess.ts";
import { printTable } from "./commands/list.ts";
import { existingConfig } from "./images.ts";
import { clusterPaths } from "./paths.ts";
import { controlPlaneOf, isRunning } from "./runningCluster.ts";
import { typedCommand } from "./typedCommand.ts";

export interface ClusterSummary {
  readonly nodes: readonly { readonly name: string; readonly ready: boolean; readonly pods: number }[];
  readonly podsRunning: number;
  readonly podsTotal: number;
}

/** Asks the API. @throws when it does not answer */
export async function summarise(name: string): Promise<ClusterSummary> {
  const client = adminClient(name);
  try {
    const [nodes, pods] = await Promise.all([client.list(nodeKind), client.list(podKind)]);
    return {
      nodes: nodes.items.map((node) => ({
        name: node.metadata.name,
        ready: node.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
        pods: pods.items.filter(({ spec }) => spec.nodeName === node.metadata.name).length,
      })),
      podsRunning: pods.items.filter(({ status }) => status.phase === "Running").length,
      podsTotal: pods.items.length,
    };
  } finally {
    await client.transport.close();
  }
}

function stateOf(name: string): string {
  const process = controlPlaneOf(name);
  if (process !== undefined) return `running, process ${process.pid}`;
  if (isRunning(name)) return `ended unexpectedly, and is started again (see: ${typedCommand("logs", name)})`;
  return `stopped (start it with: ${typedCommand("up", name)})`;
}

export async function printStatus(name: string): Promise<void> {
  const config = existingConfig(name);
  const paths = clusterPaths(name);
  const running = controlPlaneOf(name);
  console.log(`cluster:     ${name}`);
  console.log(`control:     ${stateOf(name)}`);
  console.log(`server:      https://127.0.0.1:${config.apiPort}`);
  console.log(`runtime:     ${config.ociRuntime ?? config.runtime}`);
  console.log(`kubeconfig:  ${paths.kubeconfig}`);
  console.log(`data:        ${paths.data}`);
  if (running === undefined) {
    process.exitCode = 1;
    return;
  }
  const { nodes } = await summarise(name);
  console.log("");
  printTable(
    ["NODE", "STATUS", "PODS"],
    nodes.map((node) => [node.name, node.ready ? "Ready" : "NotReady", `${node.pods}`]),
  );
}
