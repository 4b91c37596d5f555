/** Containers that end: why, with what, when they are started again, and where their logs are. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canRunContainers, createTestCluster, type TestCluster } from "./testCluster.ts";

/** Counts its attempts in a volume, which outlives its containers. The third runs until it is told to go on. */
const CRASHING = `
apiVersion: v1
kind: Pod
metadata: {name: crashing}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: tools:1
      command: [sh, -c]
      args:
        - |
          n=$(cat /work/n 2>/dev/null || echo 0); echo $((n + 1)) > /work/n; echo attempt $n; sleep 0.5
          while [ $n = 2 ] && ! ls /work/go 2>/dev/null; do sleep 0.1; done
          exit 1
      volumeMounts: [{name: work, mountPath: /work}]
  volumes: [{name: work, emptyDir: {}}]
`;

const pod = (name: string, restartPolicy: string, script: string, more = "") => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: ${restartPolicy}
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: 'tools:1', command: [sh, -c, ${JSON.stringify(script)}]${more}}]
---
`;

const EATS_MEMORY = "exec node -e 'const all = []; for (;;) all.push(Buffer.alloc(8e6, 1))'";
const LIMITS = ", resources: {limits: {memory: 96Mi}}";
const LIVENESS =
  ", livenessProbe: {exec: {command: [sh, -c, '! ls /tmp/dead']}, periodSeconds: 1, failureThreshold: 1}";

/** Milliseconds between the end of one run and the start of the next. */
const pauseMs = (ended: string, started: string): number => Date.parse(started) - Date.parse(ended);

describe.runIf(canRunContainers())("restarts", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up();
    await cluster.packTools();
  });
  afterAll(() => cluster?.delete());

  const containerOf = async (name: string) => (await cluster.get(`pod ${name}`)).status.containerStatuses[0];

  test("a crash loop: at once, then after 10 s; Running, Error, CrashLoopBackOff; logs of now and before", async () => {
    const watch = cluster.startKubectl("get pods -w");
    await cluster.apply(CRASHING);
    await watch.untilOutput(/crashing +0\/1 +CrashLoopBackOff +1 \(\d+s ago\)/);
    const first = await containerOf("crashing");
    expect(first.state.waiting).toMatchObject({
      reason: "CrashLoopBackOff",
      message: expect.stringMatching(/^back-off 10s restarting failed container=main pod=crashing_default\(/),
    });
    expect(first.lastState.terminated).toMatchObject({ exitCode: 1, reason: "Error" });
    await watch.untilOutput(/crashing +1\/1 +Running +2 \(\d+s ago\)/);
    expect(await cluster.kubectl("logs crashing")).toBe("attempt 2\n");
    expect(await cluster.kubectl("logs crashing --previous")).toBe("attempt 1\n");
    const second = await containerOf("crashing");
    const pause = pauseMs(first.lastState.terminated.finishedAt, second.state.running.startedAt);
    // Times in the status are whole seconds.
    expect(pause).toBeGreaterThanOrEqual(9_000);
    expect(pause).toBeLessThan(14_000);
    await cluster.kubectl(["exec", "crashing", "--", "sh", "-c", "echo > /work/go"]);
    await watch.untilOutput(/crashing +0\/1 +CrashLoopBackOff +2 \(\d+s ago\)/);
    await watch.stop();
    const states = watch
      .stdout()
      .split("\n")
      .filter((line) => line.startsWith("crashing "))
      .map((line) => line.split(/ +/)[2])
      .filter((state, index, all) => state !== all[index - 1]);
    const loop = ["Running", "Error", "CrashLoopBackOff", "Running", "Error", "CrashLoopBackOff"];
    expect(states.slice(-loop.length)).toEqual(loop);
    expect((await containerOf("crashing")).state.waiting.message).toMatch(/^back-off 20s /);
  });

  test("describe shows the last state, the exit code, the times and the back-off", async () => {
    const text = await cluster.kubectl("describe pod crashing");
    expect(text).toMatch(/State: +Waiting\n +Reason: +CrashLoopBackOff/);
    expect(text).toMatch(
      /Last State: +Terminated\n +Reason: +Error\n +Exit Code: +1\n +Started: +\S.*\n +Finished: +\S.*\n +Ready: +False\n +Restart Count: +2/,
    );
    expect(text).toMatch(/Warning +BackOff +.*Back-off restarting failed container main in pod crashing_default/);
    expect(text).toMatch(/Normal +Created +\d+s \(x3 over \d+s\)/);
  });

  test("the phases and reasons of what ends: Completed, Error, and who is started again", async () => {
    await cluster.apply(
      pod("done", "OnFailure", "exit 0") + pod("failed", "Never", "exit 42") + pod("told", "Never", "kill -TERM $$"),
    );
    await cluster.kubectl("wait --for=jsonpath={.status.phase}=Succeeded pod/done --timeout=30s");
    await cluster.kubectl("wait --for=jsonpath={.status.phase}=Failed pod/failed pod/told --timeout=30s");
    const terminated = async (name: string) => (await containerOf(name)).state.terminated;
    expect(await terminated("done")).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(await terminated("failed")).toMatchObject({ exitCode: 42, reason: "Error" });
    expect((await terminated("told")).reason).toBe("Error");
    expect(await cluster.kubectl("get pods done failed --no-headers")).toMatch(
      /^done +0\/1 +Completed +0 +\S+\nfailed +0\/1 +Error +0 +\S+\n$/,
    );
    const { code, stderr } = await cluster.tryKubectl("logs failed --previous");
    expect(code).toBe(1);
    expect(stderr).toContain('previous terminated container "main" in pod "failed" not found');
  });

  test("with OnFailure what failed is started again, and what is done is not", async () => {
    const script = "if ls /tmp/mounted/once; then exit 0; fi; echo > /tmp/mounted/once; exit 127";
    const mount = ", volumeMounts: [{name: work, mountPath: /tmp/mounted}]";
    const manifest = pod("retry", "OnFailure", script, mount).replace(
      "---\n",
      "  volumes: [{name: work, emptyDir: {}}]\n",
    );
    await cluster.apply(manifest);
    await cluster.kubectl("wait --for=jsonpath={.status.phase}=Succeeded pod/retry --timeout=30s");
    expect(await containerOf("retry")).toMatchObject({
      restartCount: 1,
      state: { terminated: { exitCode: 0, reason: "Completed" } },
      lastState: { terminated: { exitCode: 127, reason: "Error" } },
    });
  });

  test("a container over its memory limit is OOMKilled, with exit code 137", async () => {
    await cluster.apply(pod("hungry", "Never", EATS_MEMORY, LIMITS));
    await cluster.kubectl("wait --for=jsonpath={.status.phase}=Failed pod/hungry --timeout=60s");
    expect((await containerOf("hungry")).state.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
    expect(await cluster.kubectl("get pod hungry --no-headers")).toMatch(/^hungry +0\/1 +OOMKilled +0 /);
    expect(await cluster.kubectl("describe pod hungry")).toMatch(/Reason: +OOMKilled\n +Exit Code: +137/);
  });

  test("a container whose liveness probe fails is killed and started again", async () => {
    await cluster.apply(pod("sick", "Always", "sleep 10000", LIVENESS));
    await cluster.kubectl("wait --for=condition=Ready pod/sick --timeout=30s");
    const before = await containerOf("sick");
    await cluster.kubectl(["exec", "sick", "--", "sh", "-c", "echo > /tmp/dead"]);
    await cluster.kubectl("wait --for=jsonpath={.status.containerStatuses[0].restartCount}=1 pod/sick --timeout=30s");
    await cluster.kubectl("wait --for=condition=Ready pod/sick --timeout=30s");
    const after = await containerOf("sick");
    expect(after.containerID).not.toBe(before.containerID);
    expect(after.lastState.terminated).toMatchObject({
      exitCode: 137,
      reason: "Error",
      containerID: before.containerID,
    });
    expect(await cluster.kubectl("get pod sick --no-headers")).toMatch(/^sick +1\/1 +Running +1 \(\d+s ago\) /);
    const text = await cluster.kubectl("describe pod sick");
    expect(text).toMatch(/Warning +Unhealthy +.*Liveness probe failed: /);
    expect(text).toMatch(/Normal +Killing +.*Container main failed liveness probe, will be restarted/);
  });
});
