/**
 * The service proxy of one node: what kube-proxy does. It is told the whole view again and again, keeps only the latest,
 * and makes the node follow; what changed is found out below, so telling it too often costs little.
 *
 * Deliberately absent: metrics, other backends than nftables.
 */
import type { Env, Timer } from "../lib/env.ts";
import type { ProxyBackend } from "./backends/nftables.ts";
import { ruleCache, type ServiceView } from "./ruleCache.ts";

export interface ProxyHealth {
  /** The node does what the latest view says. */
  readonly upToDate: boolean;
  readonly lastSyncMs?: number;
  /** Why the last attempt failed; undefined when it did not. */
  readonly lastError?: string;
}

export interface Proxy {
  /** Takes the latest Services and slices, all of them (so not before both have been listed); returns at once. */
  sync(view: ServiceView): void;
  health(): ProxyHealth;
  /** Resolves once the node does what the latest view says. */
  settled(): Promise<void>;
  /** Stops following; rules stay, so that Services work on while the proxy restarts. */
  stop(): Promise<void>;
}

/** Changes that come within this time make one transaction. Upstream waits 1 s; 22 ms is what one costs here. */
export const SYNC_INTERVAL_MS = 20;
/** After a failure, doubling. Ours: upstream waits for its periodic sync, 30 s. */
const RETRY_MS = { first: 100, max: 5_000 } as const;

export function createProxy(options: {
  readonly env: Env;
  readonly nodeName: string;
  readonly backend: ProxyBackend;
}): Proxy {
  const { env, nodeName, backend } = options;
  const rulesOf = ruleCache(nodeName);
  let wanted: ServiceView | undefined;
  let applied: ServiceView | undefined;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  let failures = 0;
  let health: Omit<ProxyHealth, "upToDate"> = {};
  const waiters: (() => void)[] = [];

  const schedule = (delayMs: number) => {
    if (timer !== undefined || running !== undefined || stopped) return;
    timer = env.clock.setTimer(delayMs, () => {
      timer = undefined;
      running = run().finally(() => {
        running = undefined;
        if (wanted !== applied) schedule(failures === 0 ? SYNC_INTERVAL_MS : retryMs(failures));
        else for (const resolve of waiters.splice(0)) resolve();
      });
    });
  };

  const run = async () => {
    const view = wanted as ServiceView;
    try {
      await backend.apply(rulesOf(view));
      applied = view;
      failures = 0;
      health = { lastSyncMs: env.clock.now() };
    } catch (error) {
      failures++;
      health = { ...health, lastError: String(error) };
      env.log.error("the node's service rules could not be changed", { error: String(error) });
    }
  };

  return {
    sync: (view) => {
      wanted = view;
      // The first rules are wanted at once: pods may be waiting for DNS.
      schedule(applied === undefined && failures === 0 ? 0 : SYNC_INTERVAL_MS);
    },
    health: () => ({ upToDate: wanted !== undefined && wanted === applied, ...health }),
    settled: () => (wanted === applied ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
    stop: async () => {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}

const retryMs = (failures: number): number => Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** (failures - 1));
