import { expect, test } from "vitest";
import { lease as leaseKind, node as nodeKind, pod as podKind } from "../api/index.ts";
import { rotateLogs } from "./logRotation.ts";
import { NODE_NAME, testKubelet } from "./testKubelet.ts";

const target = { name: NODE_NAME };

test("the lease is renewed every 10 s, the status reported every 5 minutes", async () => {
  const { clock, client, stop } = await testKubelet();
  const renewed = async () =>
    (await client.get(leaseKind, { ...target, namespace: "kube-node-lease" })).spec?.renewTime;
  const reported = async () => (await client.get(nodeKind, target)).status.conditions?.[0]?.lastHeartbeatTime;
  await clock.advance(10_000);
  const first = [await renewed(), await reported()];
  expect(first).toEqual(["2026-01-01T00:00:10.000000Z", "2026-01-01T00:00:00Z"]);
  await clock.advance(20_000);
  expect([await renewed(), await reported()]).toEqual(["2026-01-01T00:00:30.000000Z", "2026-01-01T00:00:00Z"]);
  await clock.advance(280_000);
  expect(await reported()).toBe("2026-01-01T00:05:00Z");
  await stop();
});

test("a node that was deleted registers again", async () => {
  const { clock, client, stop } = await testKubelet();
  await client.delete(nodeKind, target);
  await clock.advance(30_000);
  await clock.advance(300_000);
  expect((await client.get(nodeKind, target)).status.conditions?.find(({ type }) => type === "Ready")?.status).toBe(
    "True",
  );
  await stop();
});

test("a node that was called Unknown says again that it is Ready", async () => {
  const { clock, client, stop } = await testKubelet();
  const conditions = [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" }];
  await client.patch(nodeKind, target, "strategic", { status: { conditions } }, { subresource: "status" });
  await clock.advance(10_000);
  const ready = (await client.get(nodeKind, target)).status.conditions?.find(({ type }) => type === "Ready");
  expect(ready).toMatchObject({ status: "True", reason: "KubeletReady", lastTransitionTime: "2026-01-01T00:00:10Z" });
  await stop();
});

test("what keeps pods from running is said in the Ready condition", async () => {
  let why: string | undefined;
  const { clock, client, stop } = await testKubelet({ kubelet: { unreadyBecause: () => why } });
  why = "the network is not up";
  await clock.advance(10_000);
  const ready = (await client.get(nodeKind, target)).status.conditions?.find(({ type }) => type === "Ready");
  expect(ready).toMatchObject({ status: "False", reason: "KubeletNotReady", message: "the network is not up" });
  await stop();
});

test("usage is told as metrics and as a summary", async () => {
  const { clock, create, kubelet, stop } = await testKubelet();
  await create({
    name: "busy",
    annotations: { "simulated.skiff.dev/cpu": "500m", "simulated.skiff.dev/memory": "1Mi" },
  });
  await clock.advance(0);
  await kubelet.stats.summary();
  await clock.advance(10_000);
  expect(await kubelet.stats.summary()).toMatchObject({
    node: { nodeName: NODE_NAME, cpu: { usageNanoCores: 500_000_000 } },
    pods: [
      {
        podRef: { name: "busy", namespace: "default" },
        containers: [{ name: "app", cpu: { usageNanoCores: 500_000_000 }, memory: { workingSetBytes: 1_048_576 } }],
      },
    ],
  });
  const metrics = await kubelet.stats.resourceMetrics();
  const atMs = clock.now();
  expect(metrics.split("\n")).toContain(
    `container_cpu_usage_seconds_total{container="app",namespace="default",pod="busy"} 5 ${atMs}`,
  );
  expect(metrics.split("\n")).toContain(`node_memory_working_set_bytes 1048576 ${atMs}`);
  await stop();
});

test("a log of more than 10 MiB is put aside, and five files are kept", async () => {
  const { clock, create, kubelet, files, stop } = await testKubelet();
  await create({ name: "chatty" });
  await clock.advance(0);
  const path = kubelet.workers.list()[0]?.runtimePod.containers[0]?.logPath ?? "";
  for (let round = 0; round < 7; round += 1) {
    await files.write(path, "x".repeat(10 * 2 ** 20 + 1));
    await clock.advance(1000);
    await rotateLogs(kubelet.context);
  }
  const left = await files.list(path.slice(0, path.lastIndexOf("/")));
  expect(left).toHaveLength(5);
  expect(left[0]).toBe("0.log");
  await stop();
});

test("a log that grows fast is looked at again sooner", async () => {
  const { clock, create, kubelet, files, stop } = await testKubelet();
  await create({ name: "chatty" });
  await clock.advance(0);
  const path = kubelet.workers.list()[0]?.runtimePod.containers[0]?.logPath ?? "";
  const nextAfter = async (mebibytes: number, sinceMs: number) => {
    await files.write(path, new Uint8Array(mebibytes * 2 ** 20));
    return rotateLogs(kubelet.context, sinceMs);
  };
  expect(await nextAfter(10, 10_000)).toBe(10_000);
  expect(await nextAfter(20, 10_000)).toBe(5_000);
  expect(await nextAfter(20, 5_000)).toBe(2_500);
  expect(await nextAfter(100, 2_500)).toBe(2_000);
  expect(await nextAfter(1, 2_000)).toBe(10_000);
  await stop();
});

test("a pod that was ready stays ready when the kubelet starts anew", async () => {
  const first = await testKubelet();
  const { server, runtime, clock, client, pod } = first;
  const readinessProbe = { httpGet: { port: 80 }, periodSeconds: 10 };
  await first.create({ name: "web", spec: { containers: [{ name: "app", image: "web:1", readinessProbe }] } });
  await clock.advance(1000);
  const readyOf = async () => (await pod("web")).status.conditions?.find(({ type }) => type === "Ready");
  const before = await readyOf();
  expect(before?.status).toBe("True");
  await first.stop();
  const seen: (string | undefined)[] = [];
  const watch = await client.watch(podKind, {
    namespace: "default",
    resourceVersion: (await pod("web")).metadata.resourceVersion,
  });
  void (async () => {
    for await (const batch of watch) {
      for (const { object } of batch)
        seen.push(object.status?.conditions?.find(({ type }) => type === "Ready")?.status);
    }
  })();
  const second = await testKubelet({ server, kubelet: { runtime, dial: runtime.dialAddress, files: first.files } });
  await clock.advance(60_000);
  expect(await readyOf()).toEqual(before);
  expect(seen.every((status) => status === "True")).toBe(true);
  await second.stop();
});
