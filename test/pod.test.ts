/** One pod's life with a real kubectl and a real container: made, watched, read, described, deleted. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { canRunContainers, createTestCluster, type TestCluster } from "./testCluster.ts";

/** Says one line at once and one when it is told to end. */
const POLITE = `
apiVersion: v1
kind: Pod
metadata: {name: polite, labels: {app: polite}}
spec:
  containers:
    - name: main
      image: tools:1
      args: ["-c", 'echo started; trap "echo told to end; exit 0" TERM; sleep 1000 & wait']
`;

const TWO_CONTAINERS = `
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: two}}
spec:
  restartPolicy: Never
  initContainers:
    - {name: prepare, image: 'tools:1', args: ["-c", "echo from prepare; echo prepared > /work/file"], volumeMounts: [{name: work, mountPath: /work}]}
  containers:
    - {name: first, image: 'tools:1', args: ["-c", "for i in 1 2 3 4 5; do echo first $i; done; cat /work/file"], volumeMounts: [{name: work, mountPath: /work}]}
    - {name: second, image: 'tools:1', args: ["-c", "echo second; echo bad >&2; exit 3"]}
  volumes: [{name: work, emptyDir: {}}]
`;

const CONFIGURED = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: green, file.txt: "from a ConfigMap"}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {word: sesame}
---
apiVersion: v1
kind: Pod
metadata: {name: configured, labels: {tier: web}}
spec:
  restartPolicy: Never
  containers:
    - name: main
      image: tools:1
      command: [sh, -c]
      args: ['echo $(COLOUR) $WORD $POD_NAME $POD_IP $NODE; cat /settings/file.txt; echo; cat /secret/word; echo; cat /labels/labels; echo; ls /var/run/secrets/kubernetes.io/serviceaccount; env | head -100 | cat']
      env:
        - {name: COLOUR, valueFrom: {configMapKeyRef: {name: settings, key: colour}}}
        - {name: WORD, valueFrom: {secretKeyRef: {name: password, key: word}}}
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
      volumeMounts:
        - {name: settings, mountPath: /settings}
        - {name: secret, mountPath: /secret}
        - {name: labels, mountPath: /labels}
  volumes:
    - {name: settings, configMap: {name: settings}}
    - {name: secret, secret: {secretName: password}}
    - {name: labels, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
`;

const LIMITED = `
apiVersion: v1
kind: Pod
metadata: {name: limited}
spec:
  restartPolicy: Never
  containers:
    - name: main
      image: tools:1
      command: [sh, -c, "sleep 1000"]
      resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 100m, memory: 64Mi}}
  terminationGracePeriodSeconds: 1
`;

describe.runIf(canRunContainers())("one pod", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up();
    await cluster.packTools();
  });
  afterAll(() => cluster?.delete());

  test("get pods -w shows every state that a pod goes through", async () => {
    const gated = JSON.stringify({ spec: { schedulingGates: [{ name: "example.com/never" }] } });
    await cluster.kubectl(["run", "before", "--image=tools:1", `--overrides=${gated}`]);
    const watch = cluster.startKubectl("get pods -w");
    // What comes after what it has listed, it cannot miss.
    await watch.untilOutput(/before +0\/1 +SchedulingGated/);
    await cluster.kubectl(["run", "seen", "--image=tools:1", "--restart=Never", "--", "-c", "sleep 1"]);
    await watch.untilOutput(/seen +0\/1 +Completed/);
    await cluster.kubectl("delete pod seen before");
    await watch.stop();
    const states = watch
      .stdout()
      .split("\n")
      .filter((line) => line.startsWith("seen "))
      .map((line) => line.split(/ +/)[2]);
    const inOrder = states.filter((state, index) => state !== states[index - 1]);
    expect(inOrder.slice(0, 4)).toEqual(["Pending", "ContainerCreating", "Running", "Completed"]);
    expect(watch.stdout().split("\n")[0]).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE *$/);
  });

  test("a pod asked to end gets SIGTERM, and delete waits for it", async () => {
    await cluster.apply(POLITE);
    await cluster.kubectl("wait --for=condition=Ready pod/polite --timeout=30s");
    const log = cluster.startKubectl("logs -f polite");
    await log.untilOutput(/started/);
    expect(await cluster.kubectl("delete pod polite")).toMatch(/^pod "polite" deleted( from default namespace)?\n$/);
    const { stdout, code } = await log.finished;
    expect({ stdout, code }).toEqual({ stdout: "started\ntold to end\n", code: 0 });
    expect((await cluster.tryKubectl("get pod polite")).stderr).toBe(
      'Error from server (NotFound): pods "polite" not found\n',
    );
  });

  test("delete --grace-period=0 --force does not wait for a pod that ignores SIGTERM", async () => {
    await cluster.kubectl(["run", "deaf", "--image=tools:1", "--", "-c", "trap '' TERM; sleep 1000"]);
    await cluster.kubectl("wait --for=condition=Ready pod/deaf --timeout=30s");
    const startedMs = performance.now();
    await cluster.kubectl("delete pod deaf --grace-period=0 --force");
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect((await cluster.tryKubectl("get pod deaf")).code).toBe(1);
  });

  test("init containers run first; logs of each container, of all, by label, the last lines", async () => {
    await cluster.apply(TWO_CONTAINERS);
    await cluster.kubectl("wait --for=jsonpath={.status.phase}=Failed pod/two --timeout=30s");
    const logs = (words: string) => cluster.kubectl(`logs ${words}`);
    expect(await logs("two -c prepare")).toBe("from prepare\n");
    expect(await logs("two -c first")).toBe("first 1\nfirst 2\nfirst 3\nfirst 4\nfirst 5\nprepared\n");
    expect(await logs("two -c first --tail=2")).toBe("first 5\nprepared\n");
    expect(await logs("two --all-containers --prefix")).toMatch(/\[pod\/two\/second\] bad\n/);
    expect(await logs("-l app=two -c second")).toBe("second\nbad\n");
    expect(await logs("two -c first --since=1h --limit-bytes=7")).toBe("first 1");
    expect(await logs("two -c second --timestamps")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z second\n/);
    const missing = await cluster.tryKubectl("logs two -c third");
    expect(missing.stderr).toContain("container third is not valid for pod two");
    const { stdout } = await cluster.tryKubectl("get pod two");
    expect(stdout.split("\n")[1]).toMatch(/^two +0\/2 +Error +0 +/);
    const pod = await cluster.get("pod two");
    expect(pod.status.containerStatuses[1].state.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
    expect(pod.status.initContainerStatuses[0].state.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
  });

  test("logs of what is not a pod's name fail with kubectl's own words", async () => {
    const { code, stderr } = await cluster.tryKubectl("logs go-api");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: error from server (NotFound): pods "go-api" not found in namespace "default"\n',
    });
  });

  test("environment, ConfigMap, Secret, downward fields and the service account's files are in the container", async () => {
    await cluster.apply(CONFIGURED);
    await cluster.kubectl("wait --for=jsonpath={.status.phase}=Succeeded pod/configured --timeout=30s");
    const pod = await cluster.get("pod configured");
    const lines = (await cluster.kubectl("logs configured")).split("\n");
    expect(lines[0]).toBe(`green sesame configured ${pod.status.podIP} ${cluster.node}`);
    expect(lines.slice(1, 4)).toEqual(["from a ConfigMap", "sesame", 'tier="web"']);
    expect(lines.slice(4, 7)).toEqual(["ca.crt", "namespace", "token"]);
    expect(lines).toContain("KUBERNETES_SERVICE_HOST=10.96.0.1");
    expect(lines).toContain("HOSTNAME=configured");
    expect(pod.status.podIP).toMatch(/^10\.244\.0\.\d+$/);
  });

  test("limits reach the container's control group", async () => {
    await cluster.apply(LIMITED);
    await cluster.kubectl("wait --for=condition=Ready pod/limited --timeout=30s");
    const read = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null";
    const { stdout } = await cluster.tryKubectl(["exec", "limited", "--", "sh", "-c", read]);
    expect(stdout.trim()).toBe(String(64 * 1024 * 1024));
    expect((await cluster.get("pod limited")).status.qosClass).toBe("Burstable");
  });

  test("describe ends with Scheduled, Pulled, Created, Started", async () => {
    const text = await cluster.kubectl("describe pod limited");
    const reasons = text
      .slice(text.indexOf("Events:"))
      .split("\n")
      .slice(3)
      .map((line) => line.trim().split(/ {2,}/)[1])
      .filter((reason) => reason !== undefined);
    expect(reasons).toEqual(["Scheduled", "Pulled", "Created", "Started"]);
    expect(text).toMatch(/Successfully assigned default\/limited to /);
    expect(text).toMatch(/Container image "tools:1" already present on machine/);
    expect(text).toMatch(/QoS Class: +Burstable/);
    expect(text).toMatch(/Limits:\n +cpu: +100m\n +memory: +64Mi/);
    expect(text).toMatch(/Node: +\S+-control-plane\/\d+\.\d+\.\d+\.\d+/);
  });

  test("get events and events --for show what happened, sorted", async () => {
    const sorted = await cluster.kubectl("get events --sort-by=.lastTimestamp");
    expect(sorted.split("\n")[0]).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE/);
    expect(sorted).toMatch(/Normal +Scheduled +pod\/limited/);
    expect(await cluster.kubectl("events --for pod/limited")).toMatch(/Normal +Started +Pod\/limited/);
  });

  test("a pod whose image is not there waits with ErrImagePull and ImagePullBackOff", async () => {
    await cluster.kubectl("run absent --image=no-such-image:1 --image-pull-policy=Never");
    await eventually(
      () => cluster.kubectl("get pod absent"),
      (text) => / ErrImageNeverPull /.test(text),
    );
    await cluster.kubectl("run misnamed --image=127.0.0.1:1/no-such-image:1");
    await eventually(
      () => cluster.kubectl("get pod misnamed"),
      (text) => / (ErrImagePull|ImagePullBackOff) /.test(text),
    );
    expect(await cluster.kubectl("describe pod misnamed")).toMatch(
      /Failed to pull image "127.0.0.1:1\/no-such-image:1"/,
    );
    await cluster.kubectl("delete pod absent misnamed --now");
  });

  test("a pod that asks for too much stays Pending, and describe says why; it runs once there is room", async () => {
    await cluster.kubectl([
      "run",
      "big",
      "--image=tools:1",
      `--overrides={"spec":{"containers":[{"name":"big","image":"tools:1","resources":{"requests":{"cpu":"1000"}}}]}}`,
    ]);
    await eventually(
      () => cluster.kubectl("describe pod big"),
      (text) => text.includes("0/1 nodes are available: 1 Insufficient cpu."),
    );
    expect((await cluster.kubectl("get pod big")).split("\n")[1]).toMatch(/^big +0\/1 +Pending +0 /);
    await cluster.kubectl("delete pod big");
  });

  test("a deleted pod's replacement has another address", async () => {
    const addressOf = async () => {
      await cluster.kubectl(["run", "again", "--image=tools:1", "--", "-c", "sleep 1000"]);
      await cluster.kubectl("wait --for=condition=Ready pod/again --timeout=30s");
      const { status } = await cluster.get("pod again");
      await cluster.kubectl("delete pod again --grace-period=1");
      return status.podIP;
    };
    expect(await addressOf()).not.toBe(await addressOf());
  });
});
