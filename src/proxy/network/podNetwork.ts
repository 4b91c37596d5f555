/**
 * Pods' addresses and wires on one node. A pod has a /32 and a default route to its node, which routes to it; there is no
 * bridge, so nothing depends on the kernel's bridge settings.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { inNamespace, type RunCommand, runCommand } from "../backends/command.ts";
import { groupedShell } from "./groupedShell.ts";
import { assignAddress, NO_POD_ADDRESSES, type PodAddresses, releaseAddress } from "./podAddresses.ts";
import { attachLocalScript, attachScript, detachScript, type HostPort, hostPortScript } from "./podScripts.ts";

export interface PodNetworkConfig {
  /** A folder of this node's own that lives as long as its namespace. */
  readonly runDirectory: string;
  readonly podCidr: string;
  /** The node's namespace as a file; absent: the one this process is in. */
  readonly netnsPath?: string;
  readonly run?: RunCommand;
}

export interface PodAttachment {
  readonly sandboxId: string;
  /** The pod's namespace as a file; absent: the pod runs inside the node, which is given the pod's address as well. */
  readonly netnsPath?: string;
  readonly hostPorts?: readonly HostPort[];
}

export interface PodNetwork {
  /**
   * Safe to repeat: a sandbox keeps its address, and one that is connected stays so.
   * @throws CommandError; then nothing is left assigned.
   */
  attach(attachment: PodAttachment): Promise<{ readonly ips: readonly string[] }>;
  /** Safe to repeat, and without the pod's namespace. */
  detach(sandboxId: string): Promise<void>;
  /** Addresses by sandbox: what a restarted node still has. */
  assigned(): ReadonlyMap<string, string>;
}

interface State extends PodAddresses {
  readonly hostPorts: Readonly<Record<string, readonly HostPort[]>>;
}

/** @throws Error when the file of an earlier run cannot be understood. */
export async function podNetwork(config: PodNetworkConfig): Promise<PodNetwork> {
  const { podCidr, netnsPath: nodePath, run = runCommand } = config;
  const store = await stateFile(`${config.runDirectory}/pod-addresses.json`);
  const shell = groupedShell((script) => run(inNamespace(nodePath, ["sh"]), script));

  const detach = async (sandboxId: string): Promise<void> => {
    const ip = store.state.assigned[sandboxId];
    if (ip === undefined) return;
    const hostPorts = store.state.hostPorts[sandboxId] ?? [];
    const script = detachScript(sandboxId, ip) + orElse(hostPortScript("delete", ip, hostPorts));
    await shell(script, { canWait: true });
    const { [sandboxId]: _, ...others } = store.state.hostPorts;
    await store.save({ ...releaseAddress(store.state, sandboxId), hostPorts: others });
  };

  return {
    attach: async ({ sandboxId, netnsPath, hostPorts = [] }) => {
      const known = store.state.assigned[sandboxId] !== undefined;
      const { ip, addresses } = assignAddress(store.state, sandboxId, podCidr);
      const ports = hostPorts.length > 0 ? { [sandboxId]: hostPorts } : {};
      // The address is written down before it is used, so that a crash in between leaves nothing unaccounted for.
      await store.save({ ...addresses, hostPorts: { ...store.state.hostPorts, ...ports } });
      const wires = netnsPath === undefined ? attachLocalScript(ip) : attachScript(sandboxId, ip, netnsPath, known);
      try {
        await shell(wires + hostPortScript("add", ip, hostPorts));
      } catch (error) {
        await detach(sandboxId);
        throw error;
      }
      return { ips: [ip] };
    },
    detach,
    assigned: () => new Map(Object.entries(store.state.assigned)),
  };
}

const orElse = (script: string): string => (script === "" ? "" : `(${script}) 2>/dev/null || true\n`);

/** Writes follow one another, and many that wait become one. */
async function stateFile(path: string) {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  let state: State = text === undefined ? { ...NO_POD_ADDRESSES, hostPorts: {} } : parseState(path, text);
  let writing: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  const write = async () => {
    waiting = undefined;
    await writeFile(`${path}.new`, JSON.stringify(state));
    await rename(`${path}.new`, path);
  };
  return {
    get state(): State {
      return state;
    },
    save: (next: State): Promise<void> => {
      state = next;
      waiting ??= writing.then(write);
      writing = waiting.catch(() => {});
      return waiting;
    },
  };
}

function parseState(path: string, text: string): State {
  try {
    return JSON.parse(text) as State;
  } catch (cause) {
    throw new Error(`the pod addresses in ${path} are damaged; delete the cluster's run folder to start afresh`, {
      cause,
    });
  }
}
