/** The whole scheduler on a real API server in memory, in virtual time, with nodes that are only objects. */
import { afterEach, describe, expect, test } from "vitest";
import type { Pod } from "../api/generated/core-v1.ts";
import { event as eventKind, node as nodeKind, pod as podKind } from "../api/index.ts";
import { type Cluster, startCluster } from "../cluster/startCluster.ts";
import { timestamp } from "../machinery/object.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const start = async () => {
  cluster = await startCluster({ clock: "virtual", nodes: 0, seed: "scheduler" });
  return cluster;
};

/** Ready, with a heartbeat of now: it counts as alive for the 40 s that these tests need at most. */
const addNode = async (name: string, cpu = "4") => {
  const { client, clock } = cluster;
  const amounts = { cpu, memory: "8Gi", pods: "110" };
  const now = timestamp(clock.now());
  const ready = { type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now };
  const status = { allocatable: amounts, capacity: amounts, conditions: [ready] };
  await client.create(nodeKind, { metadata: { name } });
  await client.patch(nodeKind, { name }, "merge", { status }, { subresource: "status" });
};

const addPod = (name: string, spec: Partial<Pod["spec"]> & { cpu?: string } = {}) => {
  const { cpu = "1", ...rest } = spec;
  return cluster.client.create(podKind, {
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }], ...rest },
  });
};

const nodeOf = async (name: string) =>
  (await cluster.client.get(podKind, { namespace: "default", name })).spec.nodeName ?? "";
const condition = async (name: string) => {
  const { status } = await cluster.client.get(podKind, { namespace: "default", name });
  return status.conditions?.find(({ type }) => type === "PodScheduled");
};

describe("the scheduler", () => {
  test("binds a pod, says so in its condition and in an event", async () => {
    await start();
    await addNode("n1");
    await addPod("p");
    await cluster.until(async () => (await nodeOf("p")) === "n1");
    await cluster.advance(1_000);
    expect(await condition("p")).toMatchObject({ status: "True" });
    const { items } = await cluster.client.list(eventKind, { namespace: "default" });
    expect(items.map(({ reason, message }) => `${reason}: ${message}`)).toContain(
      "Scheduled: Successfully assigned default/p to n1",
    );
  });

  test("a pod that fits nowhere waits, says why, and goes as soon as another one leaves", async () => {
    await start();
    await addNode("n1", "2");
    await addPod("big", { cpu: "2" });
    await cluster.until(async () => (await nodeOf("big")) === "n1");
    await addPod("waiting", { cpu: "1" });
    await cluster.until(async () => (await condition("waiting"))?.status === "False");
    expect((await condition("waiting"))?.message).toBe(
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    );
    await cluster.client.delete(podKind, { namespace: "default", name: "big" }, { gracePeriodSeconds: 0 });
    await cluster.until(async () => (await nodeOf("waiting")) === "n1", 15_000);
  });

  test("without nodes a pod waits for the first one", async () => {
    await start();
    await addPod("p");
    await cluster.until(async () => (await condition("p"))?.message === "no nodes available to schedule pods");
    await addNode("n1");
    await cluster.until(async () => (await nodeOf("p")) === "n1", 15_000);
  });

  test("two pods planned one after the other do not take the same room", async () => {
    await start();
    await addNode("n1", "1");
    await addNode("n2", "1");
    await Promise.all([addPod("a"), addPod("b")]);
    await cluster.until(async () => (await nodeOf("a")) !== "" && (await nodeOf("b")) !== "");
    expect(await nodeOf("a")).not.toBe(await nodeOf("b"));
  });

  test("a gated pod is left alone until its gates are gone", async () => {
    await start();
    await addNode("n1");
    await addPod("gated", { schedulingGates: [{ name: "example.com/wait" }] });
    await cluster.until(async () => (await condition("gated"))?.reason === "SchedulingGated");
    await cluster.advance(20_000);
    expect(await nodeOf("gated")).toBe("");
    await cluster.client.patch(podKind, { namespace: "default", name: "gated" }, "merge", {
      spec: { schedulingGates: null },
    });
    await cluster.until(async () => (await nodeOf("gated")) === "n1", 15_000);
  });

  test("a pod for another scheduler is not touched", async () => {
    await start();
    await addNode("n1");
    await addPod("other", { schedulerName: "mine" });
    await cluster.advance(20_000);
    expect(await nodeOf("other")).toBe("");
    expect(await condition("other")).toBeUndefined();
  });
});
