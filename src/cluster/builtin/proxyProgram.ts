/** kube-proxy's container: the node follows Services as long as it runs. Its rules stay when it ends, as upstream's do. */
import type { BuiltinProgram } from "../../kubelet/runtimes/builtin/program.ts";
import type { Env } from "../../lib/env.ts";
import type { ProxyBackend } from "../../proxy/backends/nftables.ts";
import { healthPorts, type OpenHealthPort } from "../../proxy/healthPorts.ts";
import { createProxy } from "../../proxy/proxy.ts";
import { createLog } from "../realEnv.ts";
import type { ServiceWatch } from "./serviceWatch.ts";
import { untilAborted } from "./untilAborted.ts";

export interface ProxyProgramOptions {
  readonly env: Env;
  readonly nodeName: string;
  readonly watch: ServiceWatch;
  /** A new one for each container, because it remembers what it has told the kernel. */
  readonly backend: () => ProxyBackend;
  readonly openHealthPort: OpenHealthPort;
}

/** Changes that wait longer than this make the proxy unhealthy. Source: kube-proxy, healthzTimeout, twice the syncPeriod of 30 s. */
const HEALTHY_MS = 60_000;

export const proxyProgram =
  ({ env, nodeName, watch, backend, openHealthPort }: ProxyProgramOptions): BuiltinProgram =>
  async ({ log: stream, signal }) => {
    const log = createLog(stream);
    log.info("the service proxy starts", { node: nodeName, mode: "nftables" });
    await watch.synced();
    const proxy = createProxy({ env: { ...env, log }, nodeName, backend: backend() });
    const startedMs = env.clock.now();
    const state = () => {
      const { upToDate, lastSyncMs = startedMs } = proxy.health();
      const nowMs = env.clock.now();
      const isHealthy = upToDate || nowMs - lastSyncMs < HEALTHY_MS;
      return { isHealthy, lastUpdatedMs: upToDate ? nowMs : lastSyncMs, nowMs };
    };
    const health = healthPorts({ nodeName, open: openHealthPort, state, log });
    const sync = () => {
      proxy.sync(watch.services());
      void health.sync(watch.services());
    };
    const stop = watch.follow(sync);
    sync();
    void proxy.settled().then(() => log.info("the node does what the Services say"));
    await untilAborted(signal);
    stop();
    await Promise.all([proxy.stop(), health.close()]);
    log.info("the service proxy ends; its rules stay");
    return 0;
  };
