/** The whole scheduler on a real API server in memory, in virtual time, with nodes that are only objects. */
import { afterEach, describe, expect, test } from "vitest";
import type { Pod } from "../api/generated/core-v1.ts";
import {
  event as eventKind,
  node as nodeKind,
  pod as podKind,
  priorityClass as priorityClassKind,
} from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { createSharedInformers } from "../client/sharedInformers.ts";
import { type Cluster, startCluster } from "../cluster/startCluster.ts";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { timestamp } from "../machinery/object.ts";
import { startScheduler } from "./scheduler.ts";

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
    expect((await condition("gated"))?.message).toBe("Scheduling is blocked due to non-empty scheduling gates");
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

/** A second scheduler, whose bindings go through `bind`. */
async function withOwnScheduler(bind: (really: () => Promise<unknown>) => Promise<unknown>, run: () => Promise<void>) {
  const env = { clock: cluster.clock, random: seededRandom("own"), log: silentLog };
  const really = cluster.client;
  const client = { ...really, raw: (request) => bind(() => really.raw(request)) } as Client;
  const informers = createSharedInformers({ env, client });
  const scheduler = startScheduler({ env, client, informers, schedulerName: "own" });
  informers.start();
  try {
    await run();
  } finally {
    const stopped = scheduler.stop().then(() => informers.stop());
    await cluster.advance(1_000);
    await stopped;
  }
}

describe("a binding", () => {
  const own = { schedulerName: "own" };

  test("whose answer is lost still takes its room", async () => {
    await start();
    await addNode("n1", "1");
    const losing = async (really: () => Promise<unknown>) => {
      await really();
      await cluster.clock.sleep(500);
      throw new Error("the connection was lost");
    };
    await withOwnScheduler(losing, async () => {
      await addPod("a", own);
      await cluster.until(async () => (await nodeOf("a")) === "n1");
      await cluster.advance(2_000);
      await addPod("b", own);
      await cluster.until(async () => (await condition("b"))?.reason === "Unschedulable");
      expect(await nodeOf("b")).toBe("");
    });
  });

  test("that fails is tried again, and leaves its room to others meanwhile", async () => {
    await start();
    await addNode("n1", "1");
    let tries = 0;
    const failingFirst = async (really: () => Promise<unknown>) => {
      tries += 1;
      if (tries > 1) return really();
      await cluster.clock.sleep(2_000);
      throw new Error("etcdserver: request timed out");
    };
    await withOwnScheduler(failingFirst, async () => {
      await addPod("a", own);
      await cluster.advance(100);
      await addPod("b", own);
      await cluster.until(async () => (await nodeOf("a")) + (await nodeOf("b")) !== "", 15_000);
      expect([await nodeOf("a"), await nodeOf("b")]).toContain("");
    });
  });

  test("that fails for a pod which is going is not tried again", async () => {
    await start();
    await addNode("n1", "1");
    let tries = 0;
    const failing = async () => {
      tries += 1;
      await cluster.clock.sleep(2_000);
      throw new Error("etcdserver: request timed out");
    };
    await withOwnScheduler(failing, async () => {
      await addPod("a", { ...own, terminationGracePeriodSeconds: 600 });
      await cluster.advance(100);
      const target = { namespace: "default", name: "a" };
      await cluster.client.patch(podKind, target, "merge", { metadata: { finalizers: ["example.com/wait"] } });
      await cluster.client.delete(podKind, target, {});
      await cluster.advance(30_000);
      expect(tries).toBe(1);
    });
  });
});

test("a pod that waits goes as soon as another one is made smaller", async () => {
  await start();
  await addNode("n1", "2");
  await addPod("big", { cpu: "2" });
  await cluster.until(async () => (await nodeOf("big")) === "n1");
  await addPod("waiting", { cpu: "1" });
  await cluster.until(async () => (await condition("waiting"))?.status === "False");
  const smaller = { spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] } };
  await cluster.client.patch(podKind, { namespace: "default", name: "big" }, "strategic", smaller, {
    subresource: "resize",
  });
  await cluster.until(async () => (await nodeOf("waiting")) === "n1", 15_000);
});

test("a pod of higher priority takes the place of a lesser one, which is told why", async () => {
  await start();
  await addNode("n1", "2");
  await addPod("low", { cpu: "2", terminationGracePeriodSeconds: 5 });
  await cluster.until(async () => (await nodeOf("low")) === "n1");
  await cluster.client.create(priorityClassKind, { metadata: { name: "high" }, value: 1000 });
  const target = { namespace: "default", name: "high" };
  await addPod("high", { cpu: "2", priorityClassName: "high" });
  const get = (name: string) => cluster.client.get(podKind, { namespace: "default", name });
  await cluster.until(async () => (await get("high")).status.nominatedNodeName === "n1");
  await cluster.until(async () => (await get("low")).metadata.deletionTimestamp !== undefined);
  expect((await get("low")).status.conditions).toContainEqual(
    expect.objectContaining({
      type: "DisruptionTarget",
      status: "True",
      reason: "PreemptionByScheduler",
      message: "default-scheduler: preempting to accommodate a higher priority pod",
    }),
  );
  await cluster.advance(10_000);
  await cluster.client.delete(podKind, { namespace: "default", name: "low" }, { gracePeriodSeconds: 0 });
  await cluster.until(async () => (await nodeOf("high")) === "n1", 5_000);
  const { items } = await cluster.client.list(eventKind, { namespace: "default" });
  expect(items.map(({ reason, message }) => `${reason}: ${message}`)).toContain(
    `Preempted: Preempted by pod ${(await cluster.client.get(podKind, target)).metadata.uid} on node n1`,
  );
});
