/** Whole lives of pods: a kubelet, simulated containers, an API server in memory, virtual time. */
import { expect, test } from "vitest";
import { configMap as configMapKind, pod as podKind } from "../api/index.ts";
import { isApiError } from "../machinery/errors.ts";
import { NODE_NAME, testKubelet } from "./testKubelet.ts";

const SIMULATED = "simulated.skiff.dev";
const isGone = (error: unknown): boolean => isApiError(error, "NotFound");

async function textOf(lines: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of lines) text += Buffer.from(chunk).toString();
  return text;
}

test("init containers run one after the other, then the rest", async () => {
  const { clock, create, pod, stop } = await testKubelet();
  await create({
    name: "init",
    annotations: { [`one.${SIMULATED}/run-for`]: "2s", [`two.${SIMULATED}/run-for`]: "3s" },
    spec: {
      initContainers: [
        { name: "one", image: "a:1" },
        { name: "two", image: "a:1" },
      ],
    },
  });
  await clock.advance(1000);
  const first = (await pod("init")).status;
  expect(first.phase).toBe("Pending");
  expect(first.initContainerStatuses?.map(({ state }) => Object.keys(state ?? {})[0])).toEqual(["running", "waiting"]);
  expect(first.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: "PodInitializing" } });
  expect(first.conditions?.find(({ type }) => type === "Initialized")).toMatchObject({
    status: "False",
    reason: "ContainersNotInitialized",
    message: "containers with incomplete status: [one two]",
  });
  await clock.advance(2000);
  const second = (await pod("init")).status;
  expect(second.initContainerStatuses?.map(({ ready }) => ready)).toEqual([true, false]);
  await clock.advance(3000);
  const third = (await pod("init")).status;
  expect(third.phase).toBe("Running");
  expect(third.initContainerStatuses?.map(({ state }) => state?.terminated?.reason)).toEqual([
    "Completed",
    "Completed",
  ]);
  await stop();
});

test("a sidecar starts before and ends after the container", async () => {
  const { clock, create, pod, client, kubelet, env, stop } = await testKubelet();
  const seen: string[] = [];
  kubelet.context.runtime.subscribe(async ({ type, containerId }) => {
    const status = await kubelet.context.runtime.containerStatus(containerId);
    seen.push(`${env.clock.monotonic()} ${status?.name} ${type.replace("container-", "")}`);
  });
  const startMs = env.clock.monotonic();
  await create({
    name: "with-proxy",
    annotations: { [`${SIMULATED}/stop-delay`]: "1s" },
    spec: { initContainers: [{ name: "proxy", image: "p:1", restartPolicy: "Always" }] },
  });
  await clock.advance(10_000);
  expect((await pod("with-proxy")).status.phase).toBe("Running");
  await client.delete(podKind, { name: "with-proxy", namespace: "default" });
  await clock.advance(10_000);
  expect(seen).toEqual([
    `${startMs} proxy started`,
    `${startMs} app started`,
    `${startMs + 11_000} app exited`,
    `${startMs + 12_000} proxy exited`,
  ]);
  await expect(pod("with-proxy")).rejects.toSatisfy(isGone);
  await stop();
});

test.each([
  { exitCode: "0", phase: "Succeeded", reason: "Completed", ready: "PodCompleted" },
  { exitCode: "2", phase: "Failed", reason: "Error", ready: "PodFailed" },
])("with restartPolicy Never exit code $exitCode ends as $phase", async ({ exitCode, phase, reason, ready }) => {
  const { clock, create, pod, stop } = await testKubelet();
  const annotations = { [`${SIMULATED}/run-for`]: "1s", [`${SIMULATED}/exit-code`]: exitCode };
  await create({ name: "job", annotations, spec: { restartPolicy: "Never" } });
  await clock.advance(60_000);
  const { status } = await pod("job");
  expect(status.phase).toBe(phase);
  expect(status.containerStatuses?.[0]).toMatchObject({ restartCount: 0, state: { terminated: { reason } } });
  expect(status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({ status: "False", reason: ready });
  await stop();
});

test("a pod is ready when its readiness probe says so", async () => {
  const { clock, create, pod, events, stop } = await testKubelet();
  await create({
    name: "slow",
    annotations: { [`${SIMULATED}/ready-after`]: "4500ms" },
    spec: {
      containers: [
        {
          name: "app",
          image: "web:1.0",
          readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  });
  await clock.advance(4400);
  const ready = async () => (await pod("slow")).status.conditions?.find(({ type }) => type === "Ready");
  expect(await ready()).toMatchObject({
    status: "False",
    reason: "ContainersNotReady",
    message: "containers with unready status: [app]",
  });
  expect((await events("slow")).at(-1)).toBe(
    "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503",
  );
  await clock.advance(700);
  expect(await ready()).toMatchObject({ status: "True" });
  await stop();
});

test("a failed liveness probe restarts the container", async () => {
  const { clock, create, pod, events, stop } = await testKubelet();
  await create({
    name: "sick",
    annotations: { [`${SIMULATED}/healthy-for`]: "15s" },
    spec: {
      containers: [
        {
          name: "app",
          image: "web:1.0",
          livenessProbe: { exec: { command: ["check"] }, periodSeconds: 5, failureThreshold: 2 },
        },
      ],
    },
  });
  await clock.advance(19_000);
  expect((await pod("sick")).status.containerStatuses?.[0]?.restartCount).toBe(0);
  await clock.advance(2000);
  expect((await pod("sick")).status.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
  expect(await events("sick")).toContain("Killing: Container app failed liveness probe, will be restarted");
  await stop();
});

test("an image that cannot be had is tried again after 10, 20, 40 s", async () => {
  const pulls: number[] = [];
  const { clock, create, pod, env, runtime, events, stop } = await testKubelet();
  const { pull } = runtime.images;
  Object.assign(runtime.images, {
    pull: (...args: Parameters<typeof pull>) => {
      pulls.push(env.clock.now());
      return pull(...args);
    },
  });
  await create({ name: "typo", spec: { containers: [{ name: "app", image: "web:does-not-exist" }] } });
  await clock.advance(0);
  const first = (await pod("typo")).status.containerStatuses?.[0]?.state?.waiting;
  expect(first).toMatchObject({ reason: "ErrImagePull" });
  await clock.advance(2000);
  const { waiting } = (await pod("typo")).status.containerStatuses?.[0]?.state ?? {};
  expect(waiting?.reason).toBe("ImagePullBackOff");
  expect(waiting?.message).toMatch(
    /^Back-off pulling image "web:does-not-exist": ErrImagePull: failed to pull and unpack/,
  );
  await clock.advance(100_000);
  expect(pulls.slice(1, 4).map((atMs, index) => atMs - (pulls[index] as number))).toEqual([10_000, 20_000, 40_000]);
  expect((await pod("typo")).status.phase).toBe("Pending");
  expect((await events("typo")).slice(0, 3)).toEqual([
    `Pulling: Pulling image "web:does-not-exist"`,
    expect.stringMatching(/^Failed: Failed to pull image "web:does-not-exist": failed to pull/),
    "Failed: Error: ErrImagePull",
  ]);
  await stop();
});

test("the preStop hook and the grace period come before the end", async () => {
  const { clock, create, pod, client, stop } = await testKubelet();
  await create({
    name: "polite",
    annotations: { [`${SIMULATED}/stop-delay`]: "100s" },
    spec: {
      terminationGracePeriodSeconds: 20,
      containers: [{ name: "app", image: "web:1.0", lifecycle: { preStop: { sleep: { seconds: 5 } } } }],
    },
  });
  await clock.advance(0);
  await client.delete(podKind, { name: "polite", namespace: "default" });
  await clock.advance(19_900);
  expect((await pod("polite")).status.containerStatuses?.[0]?.state?.running).toBeDefined();
  await clock.advance(200);
  await expect(pod("polite")).rejects.toSatisfy(isGone);
  await stop();
});

test("a container counts as started, and is probed, once its postStart hook has ended", async () => {
  const { clock, create, pod, events, stop } = await testKubelet();
  await create({
    name: "hooked",
    spec: {
      containers: [
        {
          name: "app",
          image: "web:1.0",
          lifecycle: { postStart: { sleep: { seconds: 5 } } },
          livenessProbe: { httpGet: { port: 80 } },
        },
        { name: "after", image: "web:1.0" },
      ],
    },
  });
  await clock.advance(4900);
  const states = async () => (await pod("hooked")).status.containerStatuses?.map(({ state }) => state);
  expect((await pod("hooked")).status.phase).toBe("Pending");
  expect(await states()).toEqual(Array(2).fill({ waiting: { reason: "ContainerCreating" } }));
  await clock.advance(200);
  expect((await pod("hooked")).status.phase).toBe("Running");
  expect((await states())?.map((state) => Object.keys(state ?? {}))).toEqual([["running"], ["running"]]);
  expect(await events("hooked")).toHaveLength(6);
  await stop();
});

test("a container that runs in its postStart hook is ended with its pod", async () => {
  const { clock, create, client, runtime, stop } = await testKubelet();
  const lifecycle = { postStart: { sleep: { seconds: 20 } } };
  await create({ name: "hooked", spec: { containers: [{ name: "app", image: "web:1.0", lifecycle }] } });
  await clock.advance(100);
  await client.delete(podKind, { name: "hooked", namespace: "default" });
  await clock.advance(100);
  expect(await runtime.listContainers()).toEqual([]);
  await stop();
});

test("a forced deletion ends containers at once, whatever grace their pod would have", async () => {
  const { clock, create, client, runtime, stop } = await testKubelet();
  await create({ name: "stubborn", annotations: { [`${SIMULATED}/stop-delay`]: "100s" } });
  await clock.advance(0);
  await client.delete(podKind, { name: "stubborn", namespace: "default" }, { gracePeriodSeconds: 0 });
  await clock.advance(1900);
  expect(await runtime.listContainers()).toMatchObject([{ state: "Running" }]);
  await clock.advance(200);
  expect(await runtime.listContainers()).toEqual([]);
  await stop();
});

test("a pod whose deletion was forced takes no room from its successor, however long it takes to end", async () => {
  const { clock, create, pod, client, stop } = await testKubelet();
  const containers = [{ name: "app", image: "web:1.0", resources: { requests: { cpu: "3" } } }];
  await create({ name: "large", annotations: { [`${SIMULATED}/stop-delay`]: "100s" }, spec: { containers } });
  await clock.advance(100);
  await client.delete(podKind, { name: "large", namespace: "default" }, { gracePeriodSeconds: 0 });
  await create({ name: "large", spec: { containers } });
  await clock.advance(100);
  expect((await pod("large")).status.phase).toBe("Running");
  await stop();
});

test("a second deletion with less grace hurries the first", async () => {
  const { clock, create, pod, client, stop } = await testKubelet();
  await create({ name: "slow", annotations: { [`${SIMULATED}/stop-delay`]: "100s" } });
  await clock.advance(0);
  await client.delete(podKind, { name: "slow", namespace: "default" }, { gracePeriodSeconds: 60 });
  await clock.advance(1000);
  await client.delete(podKind, { name: "slow", namespace: "default" }, { gracePeriodSeconds: 3 });
  await clock.advance(2900);
  await pod("slow");
  await clock.advance(200);
  await expect(pod("slow")).rejects.toSatisfy(isGone);
  await stop();
});

test("a ConfigMap that is missing holds the pod back, and changes reach it", async () => {
  const { clock, create, pod, client, files, events, stop } = await testKubelet();
  const made = await create({
    name: "configured",
    spec: {
      volumes: [{ name: "config", configMap: { name: "settings" } }],
      containers: [{ name: "app", image: "web:1.0", volumeMounts: [{ name: "config", mountPath: "/etc/app" }] }],
    },
  });
  await clock.advance(100);
  expect((await pod("configured")).status.phase).toBe("Pending");
  expect(await events("configured")).toEqual([
    `FailedMount: MountVolume.SetUp failed for volume "config" : configmap "settings" not found`,
  ]);
  await client.create(configMapKind, { metadata: { name: "settings", namespace: "default" }, data: { mode: "one" } });
  await clock.advance(0);
  expect((await pod("configured")).status.phase).toBe("Running");
  const path = `/var/lib/kubelet/memory/pods/${made.metadata.uid}/volumes/kubernetes.io~configmap/config/mode`;
  expect(`${await files.read(path)}`).toBe("one");
  await client.patch(configMapKind, { name: "settings", namespace: "default" }, "merge", { data: { mode: "two" } });
  await clock.advance(0);
  expect(`${await files.read(path)}`).toBe("two");
  await stop();
});

test("every volume that cannot be set up is told", async () => {
  const { clock, create, events, stop } = await testKubelet();
  const volumes = ["one", "two"].map((name) => ({ name, secret: { secretName: name } }));
  await create({ name: "locked", spec: { volumes } });
  await clock.advance(100);
  expect((await events("locked")).toSorted()).toEqual(
    ["one", "two"].map(
      (name) => `FailedMount: MountVolume.SetUp failed for volume "${name}" : secret "${name}" not found`,
    ),
  );
  await stop();
});

test("a container tells its image by its full name, and by the digest that it can be had by again", async () => {
  const { clock, create, pod, runtime, stop } = await testKubelet();
  const { status } = runtime.images;
  const named = {
    repoTags: ["example.com/other:1", "docker.io/library/web:1.0"],
    repoDigests: ["docker.io/library/web@sha256:1"],
  };
  Object.assign(runtime.images, {
    status: async (name: string) => ({ ...(await status(name)), ...named }),
  });
  await create({ name: "full" });
  await clock.advance(100);
  expect((await pod("full")).status.containerStatuses).toMatchObject([
    { image: "docker.io/library/web:1.0", imageID: "docker.io/library/web@sha256:1" },
  ]);
  await stop();
});

test.each([
  [
    "Web:1",
    'couldn\'t parse image name "Web:1": invalid reference format: repository name (library/Web) must be lowercase',
  ],
  ["web:", 'couldn\'t parse image name "web:": invalid reference format'],
])("%s is no image", async (image, why) => {
  const { clock, create, pod, stop } = await testKubelet();
  await create({ name: "odd", spec: { containers: [{ name: "app", image }] } });
  await clock.advance(100);
  expect((await pod("odd")).status.containerStatuses?.[0]?.state?.waiting).toEqual({
    reason: "InvalidImageName",
    message: `Failed to apply default image tag "${image}": ${why}`,
  });
  await stop();
});

test("a pull secret that is not there is told before the pull", async () => {
  const { clock, create, events, stop } = await testKubelet();
  const spec = { imagePullSecrets: [{ name: "typo" }], containers: [{ name: "app", image: "web:does-not-exist" }] };
  await create({ name: "private", spec });
  await clock.advance(100);
  expect((await events("private"))[1]).toBe(
    "FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (typo); attempting to pull the image may not succeed.",
  );
  await stop();
});

test("a kernel setting that others would feel is refused", async () => {
  const { clock, create, pod, events, stop } = await testKubelet();
  await create({ name: "tuned", spec: { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } } });
  await clock.advance(100);
  const message = 'forbidden sysctl: "kernel.msgmax" not allowlisted';
  const { conditions, startTime, ...told } = (await pod("tuned")).status;
  expect(told).toEqual({
    observedGeneration: 1,
    phase: "Failed",
    reason: "SysctlForbidden",
    message: `Pod was rejected: ${message}`,
    qosClass: "BestEffort",
  });
  expect(await events("tuned")).toEqual([`SysctlForbidden: ${message}`]);
  await stop();
});

test("activeDeadlineSeconds ends a pod", async () => {
  const { clock, create, pod, stop } = await testKubelet();
  await create({ name: "late", spec: { activeDeadlineSeconds: 30 } });
  await clock.advance(29_000);
  expect((await pod("late")).status.phase).toBe("Running");
  await clock.advance(2000);
  expect((await pod("late")).status).toMatchObject({
    phase: "Failed",
    reason: "DeadlineExceeded",
    message: "Pod was active on the node longer than the specified deadline",
  });
  await stop();
});

test("a pod that does not fit is rejected", async () => {
  const { clock, create, pod, stop } = await testKubelet();
  const containers = [{ name: "app", image: "web:1.0", resources: { requests: { cpu: "3" } } }];
  await create({ name: "first", spec: { containers } });
  await clock.advance(0);
  await create({ name: "second", spec: { containers } });
  await clock.advance(0);
  expect((await pod("first")).status.phase).toBe("Running");
  expect((await pod("second")).status).toMatchObject({
    phase: "Failed",
    reason: "OutOfcpu",
    message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000",
  });
  await stop();
});

test("logs: of now, of the attempt before, the last lines, and followed to the end", async () => {
  const { clock, create, kubelet, runtime, stop } = await testKubelet();
  await create({
    name: "talker",
    annotations: {
      [`${SIMULATED}/logs`]: "a\nb\nc",
      [`${SIMULATED}/run-for`]: "60s",
      [`${SIMULATED}/exit-code`]: "1",
    },
  });
  await clock.advance(0);
  const target = { namespace: "default", name: "talker", container: "app" };
  expect(await textOf(await kubelet.logs(target))).toBe("a\nb\nc\n");
  expect(await textOf(await kubelet.logs({ ...target, tailLines: 2, timestamps: true }))).toBe(
    "2026-01-01T00:00:00.000000000Z b\n2026-01-01T00:00:00.000000000Z c\n",
  );
  expect(await textOf(await kubelet.logs({ ...target, limitBytes: 3 }))).toBe("a\nb");
  await expect(kubelet.logs({ ...target, previous: true })).rejects.toThrow(
    'previous terminated container "app" in pod "talker" not found',
  );
  const followed = textOf(await kubelet.logs({ ...target, follow: true, tailLines: 0 }));
  const id = kubelet.workers.list()[0]?.runtimePod.containers[0]?.id ?? "";
  await clock.advance(1000);
  await runtime.writeLog(id, ["later"]);
  await clock.advance(70_000);
  expect(await followed).toBe("later\n");
  expect(await textOf(await kubelet.logs({ ...target, previous: true }))).toBe("a\nb\nc\nlater\n");
  await stop();
});

test("static pods run without the API, and are shown in it", async () => {
  const own = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "etcd", namespace: "kube-system", uid: "", resourceVersion: "", creationTimestamp: "" },
    spec: { containers: [{ name: "etcd", image: "etcd:1" }], hostNetwork: true },
    status: {},
  };
  const { clock, client, stop } = await testKubelet({ kubelet: { staticPods: [own] } });
  await clock.advance(0);
  const mirror = await client.get(podKind, { name: `etcd-${NODE_NAME}`, namespace: "kube-system" });
  expect(mirror.status).toMatchObject({ phase: "Running", podIP: "192.168.0.2" });
  await client.delete(podKind, { name: `etcd-${NODE_NAME}`, namespace: "kube-system" }, { gracePeriodSeconds: 0 });
  await clock.advance(10);
  const again = await client.get(podKind, { name: `etcd-${NODE_NAME}`, namespace: "kube-system" });
  expect(again.metadata.uid).not.toBe(mirror.metadata.uid);
  expect(again.status.containerStatuses?.[0]?.containerID).toBe(mirror.status.containerStatuses?.[0]?.containerID);
  await stop();
});

test("a new kubelet takes over what runs, and removes what nobody wants", async () => {
  const first = await testKubelet();
  const { server, runtime, clock, client, pod } = first;
  await first.create({ name: "stays" });
  await first.create({ name: "goes" });
  await clock.advance(0);
  const before = (await pod("stays")).status.containerStatuses?.[0]?.containerID;
  await first.stop();
  await client.delete(podKind, { name: "goes", namespace: "default" }, { gracePeriodSeconds: 0 });
  const second = await testKubelet({ server, kubelet: { runtime, files: first.files } });
  await clock.advance(100_000);
  const after = (await pod("stays")).status;
  expect(after.containerStatuses?.[0]).toMatchObject({ containerID: before, restartCount: 0, ready: true });
  expect((await runtime.listSandboxes()).map((sandbox) => sandbox.pod.name)).toEqual(["stays"]);
  await second.stop();
});

test("a pod that cannot start is deleted at once", async () => {
  const { clock, create, pod, client, stop } = await testKubelet();
  await create({ name: "typo", spec: { containers: [{ name: "app", image: "web:does-not-exist" }] } });
  await clock.advance(3000);
  await client.delete(podKind, { name: "typo", namespace: "default" });
  await clock.advance(0);
  await expect(pod("typo")).rejects.toSatisfy(isGone);
  await stop();
});

test("a pod that is deleted without grace leaves nothing behind", async () => {
  const { clock, create, client, runtime, files, stop } = await testKubelet();
  await create({ name: "forced", annotations: { [`${SIMULATED}/stop-delay`]: "1h", [`${SIMULATED}/logs`]: "x" } });
  await clock.advance(0);
  expect(await files.list("/var/log/pods")).toHaveLength(1);
  await client.delete(podKind, { name: "forced", namespace: "default" }, { gracePeriodSeconds: 0 });
  // The API no longer says how long, so it is what the pod's spec says.
  await clock.advance(31_000);
  expect([await runtime.listSandboxes(), await runtime.listContainers()]).toEqual([[], []]);
  const left = await Promise.all(
    ["/var/log/pods", "/var/lib/kubelet/pods", "/var/lib/kubelet/memory/pods"].map(files.list),
  );
  expect(left).toEqual([[], [], []]);
  await stop();
});

test("a volume that outgrows its limit ends the pod", async () => {
  const { clock, create, pod, files, stop } = await testKubelet();
  const made = await create({
    name: "greedy",
    spec: {
      volumes: [{ name: "cache", emptyDir: { sizeLimit: "1Ki" } }],
      containers: [{ name: "app", image: "web:1.0", volumeMounts: [{ name: "cache", mountPath: "/cache" }] }],
    },
  });
  await clock.advance(20_000);
  expect((await pod("greedy")).status.phase).toBe("Running");
  const path = `/var/lib/kubelet/pods/${made.metadata.uid}/volumes/kubernetes.io~empty-dir/cache/file`;
  await files.write(path, "x".repeat(2000));
  await clock.advance(20_000);
  expect((await pod("greedy")).status).toMatchObject({ phase: "Failed", reason: "Evicted" });
  await stop();
});

test("a sandbox that fails is made again, with growing delays", async () => {
  const { clock, create, pod, events, stop } = await testKubelet();
  await create({ name: "netless", annotations: { [`${SIMULATED}/sandbox-error`]: "no network" } });
  await clock.advance(3000);
  expect((await pod("netless")).status.phase).toBe("Pending");
  expect(await events("netless")).toEqual(["FailedCreatePodSandBox: Failed to create pod sandbox: no network"]);
  await stop();
});

test("a changed label reaches the volume that shows it", async () => {
  const { clock, create, client, files, stop } = await testKubelet();
  const made = await create({
    name: "labelled",
    labels: { version: "1" },
    spec: {
      volumes: [
        { name: "me", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
      ],
      containers: [{ name: "app", image: "web:1.0", volumeMounts: [{ name: "me", mountPath: "/etc/pod" }] }],
    },
  });
  await clock.advance(0);
  const path = `/var/lib/kubelet/memory/pods/${made.metadata.uid}/volumes/kubernetes.io~downward-api/me/labels`;
  expect(`${await files.read(path)}`).toBe('version="1"');
  const target = { name: "labelled", namespace: "default" };
  await client.patch(podKind, target, "merge", { metadata: { labels: { version: "2" } } });
  await clock.advance(0);
  expect(`${await files.read(path)}`).toBe('version="2"');
  await stop();
});
