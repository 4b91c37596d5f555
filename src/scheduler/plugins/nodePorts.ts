import { reject, type SchedulerPlugin } from "../framework.ts";
import { ANY_ADDRESS, type HostPort, hostPortsOf, type NodeInfo } from "../nodeInfo.ts";

/** The same port on two addresses clashes only when they are the same, or one is every address. */
function isTaken(wanted: HostPort, { hostPorts }: NodeInfo): boolean {
  if (hostPorts.size === 0) return false;
  const [address, ...rest] = wanted.split("/");
  const port = rest.join("/");
  if (address !== ANY_ADDRESS) return hostPorts.has(wanted) || hostPorts.has(`${ANY_ADDRESS}/${port}`);
  return [...hostPorts.keys()].some((used) => used.endsWith(`/${port}`));
}

/** Source: plugins/nodeports. */
export const nodePorts: SchedulerPlugin<readonly HostPort[]> = {
  name: "NodePorts",
  prepare: hostPortsOf,
  filter: (_pod, node, wanted) =>
    wanted.some((port) => isTaken(port, node))
      ? reject("node(s) didn't have free ports for the requested pod ports")
      : undefined,
  helpedBy: ["node-added", "pod-removed"],
};
