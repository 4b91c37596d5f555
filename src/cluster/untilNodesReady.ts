import type { Lease } from "../api/generated/coordination-v1.ts";
import type { Node } from "../api/generated/core-v1.ts";
import { lease as leaseKind, node as nodeKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { createSharedInformers } from "../client/sharedInformers.ts";
import type { Env } from "../lib/env.ts";

/** Source: v1.NamespaceNodeLease. */
const LEASE_NAMESPACE = "kube-node-lease";

const isReady = (node: Node | undefined) =>
  node?.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/**
 * Resolves when all named nodes are Ready and have said so since `sinceMs`: after a restart the API still shows what
 * they were before.
 */
export async function untilNodesReady(
  env: Env,
  client: Client,
  names: readonly string[],
  sinceMs: number,
  /** Their agents have run all along: what the API says of them holds, and their next heartbeat may be 10 s away. */
  adopted: readonly string[] = [],
): Promise<void> {
  const informers = createSharedInformers({
    env,
    client,
    selections: [{ kind: leaseKind, namespace: LEASE_NAMESPACE }],
  });
  const nodes = informers.of(nodeKind);
  const leases = informers.of(leaseKind);
  const isAlive = (lease: Lease | undefined) => Date.parse(lease?.spec.renewTime ?? "") >= sinceMs;
  const hasSaidSo = (name: string) => adopted.includes(name) || isAlive(leases.find(LEASE_NAMESPACE, name));
  const isOver = () => names.every((name) => isReady(nodes.get(name)) && hasSaidSo(name));
  informers.start();
  // The last change that is needed comes through one of the two.
  await Promise.race([nodes.when(isOver), leases.when(isOver)]);
  await informers.stop();
}
