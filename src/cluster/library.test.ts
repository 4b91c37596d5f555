/** Many clusters, and clusters whose users do what they like. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { Pod } from "../api/generated/core-v1.ts";
import { node as nodeKind, pod as podKind } from "../api/index.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import type { Draft } from "../machinery/object.ts";
import { memoryStorage } from "../storage/engines/memory.ts";
import { nodeAddress, podCidr } from "./simulatedNodes.ts";
import { startCluster } from "./startCluster.ts";

const somePod = (annotations: Record<string, string> = {}): Draft<Pod> => ({
  metadata: { name: "p", namespace: "default", annotations },
  spec: { containers: [{ name: "c", image: "i" }] },
});

test("twenty clusters live side by side in one process", { timeout: 30_000 }, async () => {
  const clusters = await Promise.all(Array.from({ length: 20 }, () => startCluster({ nodes: 2 })));
  await Promise.all(
    clusters.map(async (cluster) => {
      await cluster.client.create(podKind, somePod());
      const target = { namespace: "default", name: "p" };
      await cluster.until(async () => (await cluster.client.get(podKind, target)).status.phase === "Running");
    }),
  );
  const servers = await Promise.all(clusters.map(({ kubeconfig }) => kubeconfig()));
  expect(new Set(servers.map((text) => /127\.0\.0\.1:\d+/.exec(text)?.[0])).size).toBe(20);
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

describe("stopping", () => {
  test("twice, and while the kubeconfig is being made, is once", async () => {
    const cluster = await startCluster();
    const [one, two] = [cluster.kubeconfig(), cluster.kubeconfig()];
    await Promise.all([cluster.stop(), cluster.stop()]);
    expect(await one).toBe(await two);
    await expect(cluster.kubeconfig()).rejects.toThrow("the cluster has been stopped");
  });

  test("leaves nothing that keeps a program alive, whatever is going on", { timeout: 30_000 }, async () => {
    const program = `
      import { pod, startCluster } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
      const cluster = await startCluster({ nodes: 2 });
      await cluster.kubeconfig();
      const annotations = { "simulated.skiff.dev/run-for": "100ms", "simulated.skiff.dev/exit-code": "1" };
      for (const name of ["a", "b"]) {
        const spec = { terminationGracePeriodSeconds: 300, containers: [{ name: "c", image: "i" }] };
        await cluster.client.create(pod, { metadata: { name, namespace: "default", annotations }, spec });
      }
      const restarts = async () => (await cluster.client.list(pod)).items.every(
        ({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) > 0,
      );
      await cluster.until(restarts);
      await cluster.client.create(pod, {
        metadata: { name: "unschedulable", namespace: "default" },
        spec: { nodeSelector: { no: "such" }, containers: [{ name: "c", image: "i" }] },
      });
      await cluster.client.delete(pod, { namespace: "default", name: "a" });
      const startedMs = performance.now();
      await cluster.stop();
      console.log("stopped after " + Math.round(performance.now() - startedMs));
      process.on("exit", () => console.log("ended after " + Math.round(performance.now() - startedMs)));
    `;
    const run = promisify(execFile);
    const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "-e", program], { timeout: 25_000 });
    expect(stderr).toBe("");
    const [stopped, ended] = [/stopped after (\d+)/, /ended after (\d+)/].map((one) => Number(one.exec(stdout)?.[1]));
    expect(stopped).toBeLessThan(3_000);
    expect((ended as number) - (stopped as number)).toBeLessThan(1_000);
  });
});

describe("a start that fails", () => {
  test("says which nodes have the same name", async () => {
    await expect(startCluster({ nodes: [{ name: "a" }, { name: "node-1" }, { name: "a" }] })).rejects.toThrow(
      "two nodes have the name a",
    );
    await expect(startCluster({ nodes: [{ name: "node-2" }, {}] })).rejects.toThrow("two nodes have the name node-2");
  });

  test("for want of a working storage rejects", async () => {
    const clock = new VirtualClock();
    const storage = memoryStorage({ env: { clock, random: undefined as never, log: undefined as never } });
    await storage.close();
    await expect(startCluster({ storage })).rejects.toThrow();
  });
});

test("a thousand nodes have addresses of their own", () => {
  const indices = Array.from({ length: 5_000 }, (_, index) => index);
  for (const of of [nodeAddress, podCidr]) {
    const all = indices.map(of);
    expect(new Set(all).size).toBe(all.length);
    for (const text of all) expect(text.split(/[./]/).every((part) => Number(part) <= 255)).toBe(true);
  }
  expect([podCidr(0), podCidr(255), podCidr(256)]).toEqual(["10.244.0.0/24", "10.244.255.0/24", "10.245.0.0/24"]);
});

test("three hundred nodes become Ready in virtual time", { timeout: 30_000 }, async () => {
  await using cluster = await startCluster({ clock: "virtual", nodes: 300 });
  expect((await cluster.client.list(nodeKind)).items).toHaveLength(300);
});

test.each([
  ["POST", "create", {}],
  ["GET", "get", {}],
  ["POST", "impersonate-on:user-info:create", { "impersonate-user": "jane" }],
])("who asks by %s for a shell needs the right to %s", async (method, verb, more) => {
  await using cluster = await startCluster();
  const { port } = new URL(/https:\S+/.exec(await cluster.kubeconfig())?.[0] ?? "");
  const path = "/api/v1/namespaces/default/pods/p/exec?stdout=1";
  const headers = { connection: "Upgrade", upgrade: "SPDY/3.1", ...more };
  const request = httpsRequest({ host: "127.0.0.1", port, path, method, headers, rejectUnauthorized: false }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  expect(JSON.parse(await text(response)).message).toBe(
    `pods "p" is forbidden: User "system:anonymous" cannot ${verb} resource "pods/exec" in API group "" in the namespace "default"`,
  );
});
