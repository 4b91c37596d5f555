import { expect, test } from "vitest";
import { node as nodeKind, pod as podKind } from "../api/index.ts";
import { isApiError } from "../machinery/errors.ts";
import { testKubelet } from "./testKubelet.ts";

test("registers its node, ready", async () => {
  const { client, stop } = await testKubelet();
  const node = await client.get(nodeKind, { name: "node-1" });
  expect(node.status.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
    "MemoryPressure=False",
    "DiskPressure=False",
    "PIDPressure=False",
    "Ready=True",
  ]);
  expect(node.status.capacity).toMatchObject({ cpu: "4", memory: "8Gi", pods: "110" });
  await stop();
});

test("runs a pod, tells of it, and deletes it once it has ended", async () => {
  const { client, clock, create, pod, events, stop } = await testKubelet();
  await create({ name: "web" });
  await clock.advance(0);
  const running = await pod("web");
  expect(running.status).toMatchObject({
    phase: "Running",
    podIP: "10.244.1.2",
    hostIP: "192.168.0.2",
    qosClass: "BestEffort",
  });
  expect(running.status.conditions?.map(({ type, status }) => `${type}=${status}`).sort()).toEqual([
    "ContainersReady=True",
    "Initialized=True",
    "PodReadyToStartContainers=True",
    "PodScheduled=True",
    "Ready=True",
  ]);
  expect(running.status.containerStatuses?.[0]).toMatchObject({ ready: true, started: true, restartCount: 0 });
  expect(await events("web")).toEqual([
    `Pulled: Container image "web:1.0" already present on machine and can be accessed by the pod`,
    "Created: Container created",
    "Started: Container started",
  ]);
  await client.delete(podKind, { name: "web", namespace: "default" });
  await clock.advance(0);
  await expect(pod("web")).rejects.toSatisfy((error) => isApiError(error, "NotFound"));
  expect(await events("web")).toContain("Killing: Stopping container app");
  await stop();
});

test("a crash loop waits 10, 20, 40, 80, 160, 300, 300 s", async () => {
  const starts: number[] = [];
  const { clock, create, env, kubelet, pod, stop } = await testKubelet();
  kubelet.context.runtime.subscribe(({ type }) => {
    if (type === "container-started") starts.push(env.clock.now());
  });
  await create({
    name: "crash",
    annotations: { "simulated.skiff.dev/run-for": "1s", "simulated.skiff.dev/exit-code": "3" },
  });
  await clock.advance(2500);
  const waiting = await pod("crash");
  expect(waiting.status.containerStatuses?.[0]).toMatchObject({
    restartCount: 1,
    state: {
      waiting: {
        reason: "CrashLoopBackOff",
        message: `back-off 10s restarting failed container=app pod=crash_default(${waiting.metadata.uid})`,
      },
    },
    lastState: { terminated: { exitCode: 3, reason: "Error" } },
  });
  await clock.advance(1_000_000);
  const gaps = starts.slice(1).map((atMs, index) => atMs - (starts[index] as number) - 1000);
  expect(gaps.slice(0, 7)).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000]);
  await stop();
});
