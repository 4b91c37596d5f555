import type { SandboxConfig } from "./runtime.ts";

/** Gives pods their place in the network; a runtime makes the namespace, this fills it. */
export interface PodNetwork {
  /**
   * Joins the namespace pinned at `netnsPath` to the node's network: addresses, routes, host ports. Its `lo` is up
   * already. Called again for a sandbox that has been attached, it says the same addresses.
   */
  attach(request: {
    readonly sandboxId: string;
    readonly netnsPath: string;
    readonly hostPorts: SandboxConfig["hostPorts"];
  }): Promise<{ readonly ips: readonly string[] }>;
  /** Gives the addresses back and removes the ports. Safe to repeat; the namespace may be gone already. */
  detach(sandboxId: string): Promise<void>;
}
