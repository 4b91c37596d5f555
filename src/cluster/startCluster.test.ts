import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Deployment } from "../api/generated/apps-v1.ts";
import { deployment, node, pod } from "../api/index.ts";
import type { Draft } from "../machinery/object.ts";
import { type Cluster, startCluster } from "./startCluster.ts";

const web = (replicas: number, annotations: Record<string, string> = {}): Draft<Deployment> => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" }, annotations },
      spec: { containers: [{ name: "web", image: "web:1" }] },
    },
  },
});

const runningPods = async ({ client }: Cluster) =>
  (await client.list(pod, { namespace: "default" })).items.filter(({ status }) => status.phase === "Running").length;

describe("a cluster in this process", () => {
  test("runs a Deployment in virtual time", async () => {
    await using cluster = await startCluster({ clock: "virtual", nodes: 3 });
    await cluster.client.create(deployment, web(5));
    await cluster.until(async () => (await runningPods(cluster)) === 5);
    const { items } = await cluster.client.list(pod, { namespace: "default" });
    expect(new Set(items.map(({ spec }) => spec.nodeName)).size).toBe(3);
  });

  test("serves real clients over HTTPS", async () => {
    await using cluster = await startCluster({ nodes: 1 });
    const kubeconfig = await cluster.kubeconfig();
    expect(kubeconfig).toContain("https://127.0.0.1:");
    await cluster.until(async () => (await cluster.client.list(node)).items.length === 1);
  });
});

/** Every write that the store has seen, with its bytes. */
async function historyOf(seed: string): Promise<{ digest: string; events: number }> {
  await using cluster = await startCluster({ clock: "virtual", seed, nodes: 2 });
  const digest = createHash("sha256");
  let events = 0;
  const record = new Promise<void>((_, reject) => {
    cluster.storage.watch("/", 0, {
      onEvents: (batch) => {
        for (const { type, revision, entry } of batch) {
          digest.update(`${type} ${revision} ${entry.key}\n`).update(entry.value);
          events++;
        }
      },
      onEnd: reject,
    });
  });
  record.catch(() => undefined);
  await cluster.client.create(deployment, web(4));
  await cluster.until(async () => (await runningPods(cluster)) === 4);
  await cluster.client.patch(deployment, { namespace: "default", name: "web" }, "merge", {
    spec: {
      template: {
        metadata: { annotations: { "simulated.skiff.dev/run-for": "3s", "simulated.skiff.dev/exit-code": "1" } },
      },
    },
  });
  await cluster.advance(10 * 60_000);
  return { digest: digest.digest("hex"), events };
}

describe("determinism", () => {
  test("the same seed gives the same history, byte for byte; another seed another one", async () => {
    const [first, second, other] = [await historyOf("a"), await historyOf("a"), await historyOf("b")];
    expect(first.events).toBeGreaterThan(200);
    expect(second).toEqual(first);
    expect(other.digest).not.toBe(first.digest);
  });
});
