import { describe, expect, it } from "vitest";
import type { Lease } from "../api/generated/coordination-v1.ts";
import type { Event, Node, Pod } from "../api/generated/core-v1.ts";
import { event as eventKind, lease as leaseKind, node as nodeKind, pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { ApiError } from "../machinery/errors.ts";
import { microTimestamp, timestamp } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { startNodeIpamController } from "./nodeIpam.ts";
import { startNodeLifecycleController } from "./nodeLifecycle.ts";
import { startPodGcController } from "./podGc.ts";
import { startSystemNamespacesController } from "./systemNamespaces.ts";
import { startTaintEvictionController } from "./taintEviction.ts";
import { startTestCluster, type TestCluster } from "./testing/testCluster.ts";

/** Nodes that renew their lease every ten seconds, until they are silenced. */
async function startWithNodes(names: readonly string[]): Promise<TestCluster & { readonly silent: Set<string> }> {
  const cluster = await startTestCluster({
    controllers: [
      startSystemNamespacesController,
      startNodeLifecycleController,
      startTaintEvictionController,
      startPodGcController,
      startNodeIpamController,
    ],
  });
  const { client, clock } = cluster;
  const silent = new Set<string>();
  for (const name of names) {
    const at = timestamp(clock.now());
    const conditions = [
      { type: "Ready", status: "True", lastHeartbeatTime: at, lastTransitionTime: at, reason: "KubeletReady" },
    ];
    await client.create<Node>(nodeKind, { metadata: { name } });
    await client.patch(nodeKind, { name }, "merge", { status: { conditions } }, { subresource: "status" });
    const lease = { holderIdentity: name, leaseDurationSeconds: 40 };
    await client.create<Lease>(leaseKind, { metadata: { name, namespace: "kube-node-lease" }, spec: lease });
    const renew = async () => {
      if (!silent.has(name)) {
        const spec = { renewTime: microTimestamp(clock.now()) };
        await client.patch(leaseKind, { name, namespace: "kube-node-lease" }, "merge", { spec });
      }
      clock.setTimer(10_000, () => void renew());
    };
    await renew();
  }
  await cluster.pass(1);
  return Object.assign(cluster, { silent });
}

const ready = async ({ client }: TestCluster, name: string) =>
  (await client.get<Node>(nodeKind, { name })).status?.conditions?.find(({ type }) => type === "Ready");
const taints = async ({ client }: TestCluster, name: string) =>
  ((await client.get<Node>(nodeKind, { name })).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();

/** A pod that runs, and tolerates its node being out of touch for 300 s. */
async function runPod({ client, clock }: TestCluster, name: string, nodeName: string): Promise<void> {
  const tolerations = [
    { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
  ];
  const spec = { nodeName, tolerations, containers: [{ name: "c", image: "i" }], terminationGracePeriodSeconds: 30 };
  await client.create<Pod>(podKind, { metadata: { name, namespace: "default" }, spec });
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: timestamp(clock.now()) }];
  const status = { phase: "Running", conditions };
  await client.patch(podKind, { name, namespace: "default" }, "merge", { status }, { subresource: "status" });
}

describe("a node", () => {
  it("stays ready as long as its lease is renewed", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await cluster.pass(600);
    expect(await ready(cluster, "n1")).toMatchObject({ status: "True" });
    expect(await taints(cluster, "n1")).toEqual([]);
  });

  it("out of touch is unknown after 50 seconds, and keeps pods off", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await runPod(cluster, "a", "n1");
    cluster.silent.add("n1");
    await cluster.pass(39);
    expect(await ready(cluster, "n1")).toMatchObject({ status: "True" });
    await cluster.pass(25);
    expect(await ready(cluster, "n1")).toMatchObject({
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
    });
    expect(await taints(cluster, "n1")).toEqual([
      "node.kubernetes.io/unreachable:NoExecute",
      "node.kubernetes.io/unreachable:NoSchedule",
    ]);
    const pod = await cluster.client.get<Pod>(podKind, { namespace: "default", name: "a" });
    expect(pod.status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("False");
    const events = (await cluster.client.list<Event>(eventKind)).items.map(({ reason }) => reason);
    expect(events).toEqual(expect.arrayContaining(["RegisteredNode", "NodeNotReady"]));
  });

  it("out of touch loses its pods when they tolerate it no longer", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await runPod(cluster, "a", "n1");
    cluster.silent.add("n1");
    await cluster.pass(340);
    const pod = await cluster.client.get<Pod>(podKind, { namespace: "default", name: "a" });
    expect(pod.metadata.deletionTimestamp).toBeUndefined();
    await cluster.pass(25);
    const evicted = await cluster.client.get<Pod>(podKind, { namespace: "default", name: "a" });
    expect(evicted.metadata.deletionTimestamp).toBeDefined();
    expect(evicted.status?.conditions).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: "DisruptionTarget", reason: "DeletionByTaintManager" })]),
    );
  });

  it("tainted by hand keeps a pod for as long as that tolerates it, from then on", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    const { client } = cluster;
    const patient = { key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 60 };
    const pod = (name: string, tolerations: readonly object[]) => ({
      metadata: { name, namespace: "default" },
      spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }], tolerations },
    });
    await client.create(podKind, pod("patient", [patient]));
    await client.create(podKind, pod("impatient", []));
    await client.create(podKind, pod("settled", [{ operator: "Exists" }]));
    const isGoing = async (name: string) =>
      (await client.get<Pod>(podKind, { namespace: "default", name })).metadata.deletionTimestamp !== undefined;
    await client.patch(nodeKind, { name: "n1" }, "merge", { spec: { taints: [{ key: "k", effect: "NoExecute" }] } });
    await cluster.pass(59);
    expect([await isGoing("impatient"), await isGoing("patient")]).toEqual([true, false]);
    await cluster.pass(2);
    expect([await isGoing("patient"), await isGoing("settled")]).toEqual([true, false]);
  });

  it("keeps its pods while every node is out of touch", async () => {
    await using cluster = await startWithNodes(["n1"]);
    await runPod(cluster, "a", "n1");
    cluster.silent.add("n1");
    await cluster.pass(600);
    expect(await taints(cluster, "n1")).toEqual(["node.kubernetes.io/unreachable:NoSchedule"]);
    const pod = await cluster.client.get<Pod>(podKind, { namespace: "default", name: "a" });
    expect(pod.metadata.deletionTimestamp).toBeUndefined();
  });

  it("that has gone takes its pods with it after 40 seconds", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await runPod(cluster, "a", "n1");
    await cluster.client.delete(nodeKind, { name: "n1" });
    await cluster.pass(35);
    expect((await cluster.client.list<Pod>(podKind)).items).toHaveLength(1);
    await cluster.pass(30);
    expect((await cluster.client.list<Pod>(podKind)).items).toHaveLength(0);
  });

  it("that is cordoned is tainted, until it is not", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await cluster.client.patch(nodeKind, { name: "n1" }, "merge", { spec: { unschedulable: true } });
    await cluster.pass(1);
    expect(await taints(cluster, "n1")).toEqual(["node.kubernetes.io/unschedulable:NoSchedule"]);
    await cluster.client.patch(nodeKind, { name: "n1" }, "merge", { spec: { unschedulable: false } });
    await cluster.pass(1);
    expect(await taints(cluster, "n1")).toEqual([]);
  });

  it("is given a range of pod addresses of its own", async () => {
    await using cluster = await startWithNodes(["n1", "n2", "n3"]);
    const ranges = (await cluster.client.list<Node>(nodeKind)).items.map(({ spec }) => spec?.podCIDR);
    expect(ranges).toEqual(["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]);
  });

  it("that is tainted is rid of a pod as soon as the API lets it, where it did not at first", async () => {
    let refusals = 3;
    const startRefused = (context: ControllerContext) => {
      const { client } = context;
      const refusing: Client = {
        ...client,
        delete: (...args: Parameters<Client["delete"]>) => {
          if (refusals-- > 0) return Promise.reject(new ApiError("InternalError", "not now"));
          return client.delete(...args);
        },
      };
      return startTaintEvictionController({ ...context, client: refusing });
    };
    await using cluster = await startTestCluster({ controllers: [startSystemNamespacesController, startRefused] });
    const { client } = cluster;
    await client.create<Node>(nodeKind, {
      metadata: { name: "n1" },
      spec: { taints: [{ key: "k", effect: "NoExecute" }] },
    });
    const tolerations = [{ key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 60 }];
    const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }], tolerations };
    await client.create<Pod>(podKind, { metadata: { name: "p", namespace: "default" }, spec });
    await cluster.pass(62);
    const pod = await client.get<Pod>(podKind, { namespace: "default", name: "p" });
    expect([refusals < 0, pod.metadata.deletionTimestamp !== undefined]).toEqual([true, true]);
  });
});
