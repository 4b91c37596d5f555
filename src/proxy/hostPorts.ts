/**
 * NodePorts on the host's loopback. Nothing of ours touches the host's packet filter, so a listener of ours on
 * 127.0.0.1:nodePort dials the same port on a node, whose own rules take it from there. Runs in the process that is in
 * the host's network.
 *
 * A port that somebody else listens on is left to them, said once in the log, and tried again with every change.
 */
import type { Service } from "../api/generated/core-v1.ts";
import type { Log } from "../lib/env.ts";
import type { Protocol } from "./rules.ts";

export interface HostPort {
  readonly protocol: Protocol;
  readonly port: number;
}

/** Listens on the host's loopback and passes on to the node. @throws Error when the port is taken. */
export type OpenHostPort = (hostPort: HostPort) => Promise<{ close(): Promise<void> }>;

export interface HostPorts {
  /** Opens what is new and closes what is gone. */
  sync(services: readonly Service[]): Promise<void>;
  close(): Promise<void>;
}

/** The NodePorts of all Services, each once. Pure. */
export function wantedHostPorts(services: readonly Service[]): HostPort[] {
  const wanted = new Map<string, HostPort>();
  for (const { spec } of services) {
    for (const { nodePort, protocol } of spec.ports ?? []) {
      if (!nodePort || protocol === "SCTP") continue;
      const hostPort: HostPort = { protocol: protocol === "UDP" ? "UDP" : "TCP", port: nodePort };
      wanted.set(keyOf(hostPort), hostPort);
    }
  }
  return [...wanted.values()];
}

const keyOf = ({ protocol, port }: HostPort): string => `${protocol}/${port}`;

export function hostPorts({ open, log }: { readonly open: OpenHostPort; readonly log: Log }): HostPorts {
  const listening = new Map<string, { close(): Promise<void> }>();
  const refused = new Set<string>();
  let last: Promise<void> = Promise.resolve();

  const openPort = async (hostPort: HostPort): Promise<void> => {
    const key = keyOf(hostPort);
    try {
      listening.set(key, await open(hostPort));
      refused.delete(key);
    } catch (error) {
      if (!refused.has(key))
        log.warn("a node port is not offered on this machine's loopback", { key, error: String(error) });
      refused.add(key);
    }
  };

  const change = async (wanted: readonly HostPort[]): Promise<void> => {
    const keys = new Set(wanted.map(keyOf));
    const gone = [...listening].filter(([key]) => !keys.has(key));
    for (const [key] of gone) listening.delete(key);
    await Promise.all(gone.map(([, listener]) => listener.close()));
    await Promise.all(wanted.filter((hostPort) => !listening.has(keyOf(hostPort))).map(openPort));
  };

  /** One change after another: an opening under way must not be overtaken by its closing. */
  const inTurn = (wanted: readonly HostPort[]): Promise<void> => {
    last = last.then(() => change(wanted));
    return last;
  };

  return { sync: (services) => inTurn(wantedHostPorts(services)), close: () => inTurn([]) };
}
