/**
 * NodePorts on the host's loopback. Nothing of ours touches the host's packet filter, so a listener of ours on
 * 127.0.0.1:nodePort dials the same port on a node, whose own rules take it from there. Runs in the process that is in
 * the host's network.
 *
 * A port that somebody else listens on is left to them, said once in the log, and tried again with every change.
 */
import type { Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import type { Log } from "../lib/env.ts";
import type { ServiceView } from "./ruleCache.ts";
import { type Protocol, serviceOfSlice } from "./rules.ts";

export interface HostPort {
  readonly protocol: Protocol;
  readonly port: number;
}

/**
 * Listens on the host's loopback and passes on to the node of that name, asked for each client; undefined: any node.
 * @throws Error when the port is taken.
 */
export type OpenHostPort = (
  hostPort: HostPort,
  nodeName: () => string | undefined,
) => Promise<{ close(): Promise<void> }>;

export interface HostPorts {
  /** Opens what is new and closes what is gone. */
  sync(view: ServiceView): Promise<void>;
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

/**
 * Nodes by port, of Services that let in what comes from outside only where they have endpoints: one that has a ready
 * endpoint or else one that still serves. Pure.
 */
export function nodesWithEndpoints({ services, slices }: ServiceView): Map<string, string> {
  const nodes = new Map<string, string>();
  for (const { metadata, spec } of services) {
    if (spec.externalTrafficPolicy !== "Local") continue;
    const name = `${metadata.namespace}/${metadata.name}`;
    const nodeName = nodeWithEndpoint(slices.filter((slice) => serviceOfSlice(slice) === name));
    if (nodeName === undefined) continue;
    for (const { nodePort, protocol } of spec.ports ?? []) {
      if (nodePort) nodes.set(keyOf({ protocol: protocol === "UDP" ? "UDP" : "TCP", port: nodePort }), nodeName);
    }
  }
  return nodes;
}

/** As `nodesWithEndpoints`, for load balancers' addresses. Pure. */
export function balancersWithEndpoints({ services, slices }: ServiceView): Map<string, string> {
  const nodes = new Map<string, string>();
  for (const { metadata, spec, status } of services) {
    if (spec.type !== "LoadBalancer" || spec.externalTrafficPolicy !== "Local") continue;
    const name = `${metadata.namespace}/${metadata.name}`;
    const nodeName = nodeWithEndpoint(slices.filter((slice) => serviceOfSlice(slice) === name));
    if (nodeName === undefined) continue;
    for (const { ip } of status?.loadBalancer?.ingress ?? []) if (ip !== undefined) nodes.set(ip, nodeName);
  }
  return nodes;
}

function nodeWithEndpoint(slices: readonly EndpointSlice[]): string | undefined {
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  const ready = endpoints.filter(({ conditions }) => conditions?.ready ?? true);
  const serving = endpoints.filter(({ conditions }) => conditions?.serving ?? true);
  return (ready.length > 0 ? ready : serving).flatMap(({ nodeName }) => nodeName ?? []).sort()[0];
}

export function hostPorts({ open, log }: { readonly open: OpenHostPort; readonly log: Log }): HostPorts {
  const listening = new Map<string, { close(): Promise<void> }>();
  const refused = new Set<string>();
  let nodes: ReadonlyMap<string, string> = new Map();
  let last: Promise<void> = Promise.resolve();

  const openPort = async (hostPort: HostPort): Promise<void> => {
    const key = keyOf(hostPort);
    try {
      listening.set(key, await open(hostPort, () => nodes.get(key)));
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

  return {
    sync: (view) => {
      nodes = nodesWithEndpoints(view);
      return inTurn(wantedHostPorts(view.services));
    },
    close: () => inTurn([]),
  };
}
