/** Section 3 of the scenario: containers that end, and what is said of them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { canRunContainers, createTestCluster, type TestCluster } from "./testCluster.ts";

interface PodOptions {
  readonly name: string;
  readonly script: string;
  readonly restartPolicy?: string;
  /** More lines of the container, as YAML in flow style. */
  readonly more?: string;
}

const podOf = ({ name, script, restartPolicy = "Always", more = "" }: PodOptions) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: ${restartPolicy}
  terminationGracePeriodSeconds: 0
  containers:
    - {name: main, image: 'tools:1', command: [sh, -c, ${JSON.stringify(script)}]${more === "" ? "" : `, ${more}`}}
`;

describe.runIf(canRunContainers())("restarts", () => {
  let cluster: TestCluster;
  const containerStatus = async (name: string) => (await cluster.get(`pod ${name}`)).status.containerStatuses?.[0];

  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up();
    await cluster.packTools();
  });
  afterAll(() => cluster?.delete());

  test("a crashing container is restarted at once, then after a back-off, and kubectl shows each step", async () => {
    const watch = cluster.startKubectl("get pods --watch");
    await cluster.apply(podOf({ name: "crash", script: "echo attempt; sleep 1; exit 7" }));
    await watch.untilOutput(/crash\s+1\/1\s+Running\s+0\s/);
    await watch.untilOutput(/crash\s+0\/1\s+Error\s+0\s/);
    await watch.untilOutput(/crash\s+1\/1\s+Running\s+1 \(\d+s ago\)/);
    await watch.untilOutput(/crash\s+0\/1\s+CrashLoopBackOff\s+1 \(\d+s ago\)/);
    const status = await containerStatus("crash");
    expect(status.state.waiting.message).toMatch(
      /^back-off 10s restarting failed container=main pod=crash_default\(.+\)$/,
    );
    expect(status.lastState.terminated).toMatchObject({ exitCode: 7, reason: "Error" });
    expect(Date.parse(status.lastState.terminated.finishedAt)).toBeGreaterThan(
      Date.parse(status.lastState.terminated.startedAt) - 1,
    );
    const startedAgain = Date.now();
    await watch.untilOutput(/crash\s+1\/1\s+Running\s+2 \(\d+s ago\)/);
    expect(Date.now() - startedAgain).toBeGreaterThan(5_000);
    const description = await cluster.kubectl("describe pod crash");
    expect(description).toMatch(/Last State:\s+Terminated\s+Reason:\s+Error\s+Exit Code:\s+7/);
    expect(description).toMatch(/Restart Count:\s+2/);
    expect(description).toContain("Back-off restarting failed container main in pod crash_default");
  });

  test("logs --previous shows what the container that died said", async () => {
    await cluster.apply(
      podOf({
        name: "previous",
        script: "if [ -e /seen/x ]; then echo second run; exec sleep 1000; fi; echo first run; : >/seen/x; exit 1",
        more: "volumeMounts: [{name: seen, mountPath: /seen}]",
      }).replace(/\n$/, "\n  volumes: [{name: seen, emptyDir: {}}]\n"),
    );
    await eventually(
      () => containerStatus("previous"),
      (status) => status.restartCount === 1 && status.state.running !== undefined,
    );
    const [now, before] = [await cluster.kubectl("logs previous"), await cluster.kubectl("logs previous --previous")];
    expect(now).toBe("second run\n");
    expect(before).toBe("first run\n");
    const { code, stderr } = await cluster.tryKubectl("logs crash --previous -c nothing");
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("container nothing is not valid for pod crash"),
    });
  });

  const ends: { name: string; script: string; want: object; shown: RegExp; more?: string }[] = [
    {
      name: "completed",
      script: "exit 0",
      want: { exitCode: 0, reason: "Completed" },
      shown: /completed\s+0\/1\s+Completed/,
    },
    { name: "failed", script: "exit 3", want: { exitCode: 3, reason: "Error" }, shown: /failed\s+0\/1\s+Error/ },
    {
      name: "oom",
      script: 'exec node -e "const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))"',
      more: "resources: {limits: {memory: 64Mi}}",
      want: { exitCode: 137, reason: "OOMKilled" },
      shown: /oom\s+0\/1\s+OOMKilled/,
    },
    {
      name: "missing",
      script: "exec /no/such/program",
      want: { exitCode: 127, reason: "Error" },
      shown: /missing\s+0\/1\s+Error/,
    },
  ];
  for (const { name, script, want, shown, more } of ends) {
    test(`a container that has ${name} says so`, async () => {
      await cluster.apply(podOf({ name, script, restartPolicy: "Never", ...(more !== undefined && { more }) }));
      const status = await eventually(
        () => containerStatus(name),
        (one) => one?.state.terminated !== undefined,
      );
      expect(status.state.terminated).toMatchObject(want);
      expect(status.restartCount).toBe(0);
      expect(await cluster.kubectl(`get pod ${name}`)).toMatch(shown);
    });
  }

  test("a container whose liveness probe fails is restarted, and the event says why", async () => {
    const probe = "livenessProbe: {exec: {command: [ls, /alive]}, periodSeconds: 1, failureThreshold: 1}";
    await cluster.apply(podOf({ name: "liveness", script: ": >/alive; sleep 3; rm /alive; sleep 1000", more: probe }));
    await eventually(
      () => containerStatus("liveness"),
      (status) => status.restartCount >= 1,
    );
    const events = await cluster.kubectl("get events --field-selector involvedObject.name=liveness");
    expect(events).toMatch(/Unhealthy\s+pod\/liveness\s+Liveness probe failed/);
    expect(events).toContain("Container main failed liveness probe, will be restarted");
  });

  test("with OnFailure a failed container is restarted and a finished one is not", async () => {
    await cluster.apply(
      podOf({
        name: "retry",
        restartPolicy: "OnFailure",
        script: "if [ -e /seen/x ]; then exit 0; fi; : >/seen/x; exit 1",
        more: "volumeMounts: [{name: seen, mountPath: /seen}]",
      }).replace(/\n$/, "\n  volumes: [{name: seen, emptyDir: {}}]\n"),
    );
    const pod = await eventually(
      () => cluster.get("pod retry"),
      ({ status }) => status.phase === "Succeeded",
    );
    expect(pod.status.containerStatuses[0]).toMatchObject({
      restartCount: 1,
      state: { terminated: { exitCode: 0, reason: "Completed" } },
    });
  });
});
