/** Keeps a listener for each health check open, and one for the proxy's own; a port that is taken is tried again with every change. */
import type { Log } from "../lib/env.ts";
import type { ServiceView } from "./ruleCache.ts";
import {
  type HealthAnswer,
  type HealthCheck,
  healthChecks,
  type ProxyState,
  proxyHealthAnswer,
  serviceHealth,
} from "./serviceHealth.ts";

/** Source: kubernetes pkg/cluster/ports, ProxyHealthzPort. */
export const PROXY_HEALTH_PORT = 10_256;

/** Listens on all of the node's addresses. @throws Error when the port is taken. */
export type OpenHealthPort = (
  port: number,
  answer: (path: string) => HealthAnswer | undefined,
) => Promise<{ close(): Promise<void> }>;

export interface HealthPortsOptions {
  readonly nodeName: string;
  readonly open: OpenHealthPort;
  readonly state: () => ProxyState;
  readonly log: Log;
}

export interface HealthPorts {
  /** Takes the latest Services and slices. */
  sync(view: ServiceView): Promise<void>;
  close(): Promise<void>;
}

export function healthPorts({ nodeName, open, state, log }: HealthPortsOptions): HealthPorts {
  let checks = new Map<number, HealthCheck>();
  const listening = new Map<number, { close(): Promise<void> }>();
  const refused = new Set<number>();
  let last: Promise<void> = Promise.resolve();

  const answerOn = (port: number) => (path: string) => {
    if (port === PROXY_HEALTH_PORT) return proxyHealthAnswer(path, state());
    const check = checks.get(port);
    return check && serviceHealth(check, state().isHealthy);
  };
  const openPort = async (port: number): Promise<void> => {
    try {
      listening.set(port, await open(port, answerOn(port)));
      refused.delete(port);
    } catch (error) {
      if (!refused.has(port)) log.warn("a health check port cannot be listened on", { port, error: String(error) });
      refused.add(port);
    }
  };
  const change = async (wanted: ReadonlySet<number>): Promise<void> => {
    const gone = [...listening].filter(([port]) => !wanted.has(port));
    for (const [port] of gone) listening.delete(port);
    await Promise.all(gone.map(([, listener]) => listener.close()));
    await Promise.all([...wanted].filter((port) => !listening.has(port)).map(openPort));
  };
  /** One change after another: an opening under way must not be overtaken by its closing. */
  const inTurn = (wanted: ReadonlySet<number>): Promise<void> => {
    last = last.then(() => change(wanted));
    return last;
  };
  return {
    sync: (view) => {
      checks = new Map(healthChecks(view, nodeName).map((check) => [check.port, check]));
      return inTurn(new Set([PROXY_HEALTH_PORT, ...checks.keys()]));
    },
    close: () => inTurn(new Set()),
  };
}
