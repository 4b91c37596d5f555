/** The nodes of a cluster, real or simulated, as the control-plane process needs them. */
import type { Egress } from "../apiserver/connect/egress.ts";
import type { ControlPlane } from "./controlPlane.ts";
import type { ClusterIdentity } from "./identity.ts";

export interface NodesStart {
  readonly controlPlane: ControlPlane;
  readonly identity: ClusterIdentity;
  /** Where agents offer the API to pods. */
  readonly apiPort: number;
}

export interface Nodes {
  /** Addresses that this machine reaches; none for simulated nodes. */
  readonly addresses: readonly string[];
  /** The `kubernetes` Service's endpoint. */
  readonly apiAddress: string;
  readonly loadBalancerRange: string;
  readonly egress: Egress;
  /** Makes load balancers' addresses lead to the nodes of these names; all others lead to any node. */
  readonly routeBalancers?: (nodes: ReadonlyMap<string, string>) => Promise<void>;
  /** @returns how to stop the nodes' agents; containers run on. */
  start(parts: NodesStart): Promise<() => Promise<void>>;
}
