/** kube-proxy's container: the node follows Services as long as it runs. Its rules stay when it ends, as upstream's do. */
import type { BuiltinProgram } from "../../kubelet/runtimes/builtin.ts";
import type { Env } from "../../lib/env.ts";
import type { ProxyBackend } from "../../proxy/backends/nftables.ts";
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
}

export const proxyProgram =
  ({ env, nodeName, watch, backend }: ProxyProgramOptions): BuiltinProgram =>
  async ({ log: stream, signal }) => {
    const log = createLog(stream);
    log.info("the service proxy starts", { node: nodeName, mode: "nftables" });
    await watch.synced();
    const proxy = createProxy({ env: { ...env, log }, nodeName, backend: backend() });
    const sync = () => proxy.sync(watch.services());
    const stop = watch.follow(sync);
    sync();
    void proxy.settled().then(() => log.info("the node does what the Services say"));
    await untilAborted(signal);
    stop();
    await proxy.stop();
    log.info("the service proxy ends; its rules stay");
    return 0;
  };
