import { inNamespace, type RunCommand } from "../backends/command.ts";
import type { LinkAddresses } from "./addresses.ts";
import { type NodeScriptInput, nodeLinkScript, nodeTableScript } from "./nodeScript.ts";

export interface NodeNetworkInput {
  readonly name: string;
  /** Its place in the cluster, which gives its address: stable, and no other node's. */
  readonly index: number;
  /** The node's network namespace, pinned as a file. */
  readonly netnsPath: string;
  readonly podCidr: string;
}

export interface Connection {
  readonly node: NodeNetworkInput;
  readonly link: LinkAddresses;
  readonly fabricPath: string;
  /** Nothing can be connected to the fabric yet. */
  readonly fresh: boolean;
  readonly clusterPodCidr: string;
  readonly serviceCidr: string;
  readonly run: RunCommand;
}

/** Connects a node's namespace to the fabric. Where that has been done, only rules and settings are written again. */
export async function connectNode(connection: Connection): Promise<void> {
  const { node, link, clusterPodCidr, serviceCidr, run } = connection;
  const nodeIP = link.node(node.index);
  const input = { nodeIP, fabricIP: link.fabric, podCidr: node.podCidr, clusterPodCidr, serviceCidr };
  if (connection.fresh || !(await isConnected(connection, nodeIP))) {
    await run(inNamespace(connection.fabricPath, ["sh", "-e"]), fabricScript(connection, nodeIP));
  }
  await run(inNamespace(node.netnsPath, ["sh", "-e"]), nodeScript(input));
}

const nodeScript = (input: NodeScriptInput): string => nodeLinkScript(input) + nodeTableScript(input);

/** The fabric's end of a node's wire. */
export const portName = (index: number): string => `node${index}`;

async function isConnected({ node, fabricPath, run }: Connection, nodeIP: string): Promise<boolean> {
  const [address, port] = await Promise.all([
    run(inNamespace(node.netnsPath, ["ip", "-4", "address", "show", "dev", "eth0"])).catch(() => ""),
    run(inNamespace(fabricPath, ["ip", "route", "show", "dev", portName(node.index)])).catch(() => ""),
  ]);
  return address.includes(` ${nodeIP}/`) && port.includes(nodeIP);
}

/** Run in the fabric. Load balancers' addresses lead to the first node; any node can serve them. */
function fabricScript({ node, link }: Connection, nodeIP: string): string {
  const port = portName(node.index);
  return `ip link delete ${port} 2>/dev/null || true
nsenter --net='${node.netnsPath}' ip link delete eth0 2>/dev/null || true
ip -batch - <<'END'
link add ${port} type veth peer name eth0 netns '${node.netnsPath}'
link set ${port} up
route replace ${nodeIP}/32 dev ${port} src ${link.fabric}
END
nsenter --net='${node.netnsPath}' ip link set eth0 up
ip -batch - <<'END'
route replace ${node.podCidr} via ${nodeIP} dev ${port} onlink
${node.index === 0 ? `route replace ${link.loadBalancers} via ${nodeIP} dev ${port} onlink\n` : ""}END
`;
}
