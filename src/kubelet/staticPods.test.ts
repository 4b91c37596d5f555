import { expect, test } from "vitest";
import type { Pod } from "../api/generated/core-v1.ts";
import { pod as podKind } from "../api/index.ts";
import { MIRROR_ANNOTATION, staticPod } from "./staticPods.ts";
import { NODE_NAME, testKubelet } from "./testKubelet.ts";

const scheduler: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "kube-scheduler", namespace: "kube-system", uid: "", resourceVersion: "", creationTimestamp: "" },
  spec: { containers: [{ name: "kube-scheduler", image: "scheduler:1" }], hostNetwork: true },
  status: {},
};
const mirrorName = { name: `kube-scheduler-${NODE_NAME}`, namespace: "kube-system" };
const containerId = ({ status }: Pod) => status.containerStatuses?.[0]?.containerID;

test("a static pod is the same again after a restart of the kubelet, and another one after a restart of its own", () => {
  const hash = (restarts?: number) => staticPod(scheduler, "n1", 0, restarts).metadata.uid;
  expect(hash()).toMatch(/^[0-9a-f]{32}$/);
  expect([hash(0), hash(1) === hash(), hash(2) === hash(1)]).toEqual([hash(), false, false]);
});

for (const gracePeriodSeconds of [0, 30]) {
  test(`deleting the mirror restarts the static pod where that is wanted, with a grace of ${gracePeriodSeconds} s`, async () => {
    const kubelet = { staticPods: [scheduler], restartsDeletedStaticPods: true };
    const { clock, client, runtime, stop } = await testKubelet({ kubelet });
    await clock.advance(0);
    const before = await client.get(podKind, mirrorName);
    await client.delete(podKind, mirrorName, { gracePeriodSeconds });
    await clock.advance(60_000);
    const after = await client.get(podKind, mirrorName);
    expect(after.metadata.annotations?.[MIRROR_ANNOTATION]).not.toBe(before.metadata.annotations?.[MIRROR_ANNOTATION]);
    expect(after.status.containerStatuses?.[0]).toMatchObject({ restartCount: 0, ready: true });
    expect(containerId(after)).not.toBe(containerId(before));
    expect((await runtime.listContainers()).map(({ state }) => state)).toEqual(["Running"]);
    await stop();
  });
}

test("a mirror left by an earlier kubelet makes way for the present one", async () => {
  const kubelet = { staticPods: [scheduler], restartsDeletedStaticPods: true };
  const first = await testKubelet({ kubelet });
  await first.clock.advance(0);
  await first.client.delete(podKind, mirrorName, { gracePeriodSeconds: 0 });
  await first.clock.advance(60_000);
  await first.stop();
  const second = await testKubelet({
    server: first.server,
    kubelet: { ...kubelet, runtime: first.runtime, files: first.files },
  });
  await second.clock.advance(60_000);
  const mirror = await second.client.get(podKind, mirrorName);
  expect(mirror.metadata.annotations?.[MIRROR_ANNOTATION]).toBe(staticPod(scheduler, NODE_NAME, 0).metadata.uid);
  expect(mirror.status.phase).toBe("Running");
  expect((await first.runtime.listSandboxes()).map(({ pod }) => pod.name)).toEqual([mirrorName.name]);
  await second.stop();
});
