/**
 * How the API server reaches into the cluster: kubelets (logs, exec, …), pods and services (proxy, webhooks,
 * aggregation). The one place where the control plane crosses into the nodes' networks; the composition root gives it.
 */
import type { Duplex } from "node:stream";

export interface Egress {
  /** A connection to the kubelet's server on that node; HTTP/1.1 is spoken on it. @throws Error when it is not there. */
  kubelet(nodeName: string): Promise<Duplex>;
  /** A TCP connection to an address of the cluster's network, dialled from inside of it. @throws Error */
  dial(host: string, port: number): Promise<Duplex>;
}
