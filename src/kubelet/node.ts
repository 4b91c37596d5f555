/** Registers this node, keeps its status up to date and renews its lease. Source: kubelet_node_status.go, nodelease. */
import type { Lease } from "../api/generated/coordination-v1.ts";
import type { Node } from "../api/generated/core-v1.ts";
import { lease as leaseKind, node as nodeKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import type { Recorder } from "../client/recorder.ts";
import type { Env } from "../lib/env.ts";
import { semanticEqual } from "../machinery/deepEqual.ts";
import { isApiError } from "../machinery/errors.ts";
import { microTimestamp } from "../machinery/object.ts";
import { ownerReferenceFor } from "../machinery/ownerReferences.ts";
import { REASONS } from "./events.ts";
import { initialNode, type NodeFacts, nodeLabels, nodeStatus } from "./nodeStatus.ts";
import type { Runtime } from "./runtime.ts";

/** Source: kubelet config NodeStatusUpdateFrequency, NodeStatusReportFrequency. */
const STATUS_CHECK_MS = 10_000;
const STATUS_REPORT_MS = 300_000;
/** Source: kubelet config NodeLeaseDurationSeconds; renewed at a quarter of it. */
const LEASE_SECONDS = 40;
const LEASE_RENEW_MS = 10_000;
const LEASE_NAMESPACE = "kube-node-lease";
/** Source: kubelet_node_status.go registerWithAPIServer. */
const REGISTER_RETRY_MIN_MS = 100;
const REGISTER_RETRY_MAX_MS = 7000;

export interface NodeKeeperOptions {
  readonly env: Env;
  readonly client: Client;
  readonly recorder: Recorder;
  readonly runtime: Runtime;
  readonly nodeName: string;
  readonly facts: NodeFacts;
  readonly kubeletVersion: string;
  /** Why pods cannot run here, if they cannot. */
  readonly unreadyBecause: () => string | undefined;
  readonly signal: AbortSignal;
}

export interface NodeKeeper {
  /** Resolves when the API has the node, ready. */
  register(): Promise<void>;
  /** As last seen. */
  node(): Node | undefined;
}

/** Without what changes with every report. */
const withoutTimes = (status: Node["status"]): object => ({
  ...status,
  conditions: (status?.conditions ?? []).map(({ lastHeartbeatTime: _, ...condition }) => condition),
});

export function createNodeKeeper(options: NodeKeeperOptions): NodeKeeper {
  const { env, client, recorder, runtime, nodeName, facts, signal } = options;
  const { clock } = env;
  let node: Node | undefined;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let wasReady: boolean | undefined;

  /** Upstream names the node in its own events by its name in place of its uid. */
  const tell = (reason: string, message: string) =>
    recorder.event({ kind: "Node", name: nodeName, uid: nodeName }, "Normal", reason, message);
  const tellStatus = (reason: string) => tell(reason, `Node ${nodeName} status is now: ${reason}`);

  const ensure = async (): Promise<Node> => {
    try {
      return await client.create(nodeKind, initialNode(nodeName, facts));
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
    const existing = await client.get(nodeKind, { name: nodeName });
    const labels = nodeLabels(nodeName, facts);
    const missing = Object.entries(labels).filter(([key, value]) => existing.metadata.labels?.[key] !== value);
    if (missing.length === 0) return existing;
    return client.patch(nodeKind, { name: nodeName }, "strategic", {
      metadata: { labels: Object.fromEntries(missing) },
    });
  };

  const report = async (current: Node): Promise<void> => {
    const nowMs = clock.now();
    const unreadyBecause = options.unreadyBecause();
    const wanted = nodeStatus({
      facts,
      previous: current.status,
      images: await runtime.images.list(),
      runtimeVersion: `${runtime.name}://${runtime.version}`,
      kubeletVersion: options.kubeletVersion,
      nowMs,
      unreadyBecause,
    });
    const isSame = semanticEqual(withoutTimes(current.status), withoutTimes({ ...current.status, ...wanted }));
    if (isSame && nowMs - reportedAtMs < STATUS_REPORT_MS) return;
    node = await client.patch(nodeKind, { name: nodeName }, "strategic", { status: wanted }, { subresource: "status" });
    reportedAtMs = nowMs;
    const isReady = unreadyBecause === undefined;
    if (isReady !== wasReady) tellStatus(isReady ? REASONS.nodeReady : REASONS.nodeNotReady);
    wasReady = isReady;
  };

  const renewLease = async (): Promise<void> => {
    const renewTime = microTimestamp(clock.now());
    const target = { name: nodeName, namespace: LEASE_NAMESPACE };
    try {
      await client.patch(leaseKind, target, "merge", {
        spec: { renewTime, holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS },
      });
    } catch (error) {
      if (!isApiError(error, "NotFound") || node === undefined) throw error;
      const owner = { ...ownerReferenceFor(node, { group: "", version: "v1", kind: "Node" }) };
      const { controller: _, blockOwnerDeletion: __, ...ownerReference } = owner;
      await client.create<Lease>(leaseKind, {
        metadata: { ...target, ownerReferences: [ownerReference] },
        spec: { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime },
      });
    }
  };

  /** Runs again and again; a failure is told and waits for the next turn. */
  const repeat = async (everyMs: number, what: string, run: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await run().catch((error: unknown) => {
        if (isApiError(error, "NotFound")) node = undefined;
        if (!signal.aborted)
          env.log.warn(`the node's ${what} could not be brought up to date`, { node: nodeName, error });
      });
    }
  };

  const untilDone = async (run: () => Promise<void>): Promise<void> => {
    for (let delayMs = REGISTER_RETRY_MIN_MS; !signal.aborted; delayMs = Math.min(delayMs * 2, REGISTER_RETRY_MAX_MS)) {
      try {
        return await run();
      } catch (error) {
        env.log.warn("the node could not be registered", { node: nodeName, error });
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
  };

  return {
    node: () => node,
    async register() {
      tell(REASONS.starting, "Starting kubelet.");
      for (const reason of [
        REASONS.nodeHasSufficientMemory,
        REASONS.nodeHasNoDiskPressure,
        REASONS.nodeHasSufficientPID,
      ]) {
        tellStatus(reason);
      }
      tell(REASONS.nodeAllocatableEnforced, "Updated Node Allocatable limit across pods");
      await untilDone(async () => {
        node = await ensure();
        await report(node);
      });
      void renewLease().catch((error: unknown) =>
        env.log.warn("the node's lease could not be made", { node: nodeName, error }),
      );
      void repeat(STATUS_CHECK_MS, "status", async () => {
        // Read each time: the controllers may have said something else of it.
        node = node === undefined ? await ensure() : await client.get(nodeKind, { name: nodeName });
        await report(node);
      });
      void repeat(LEASE_RENEW_MS, "lease", renewLease);
    },
  };
}
