/** Section 2 of the scenario: updates without a failed request, history, undo, and rollouts that cannot succeed. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { LOAD_PROGRAM, startLoad } from "./load.ts";
import { canRunContainers, createTestCluster, type TestCluster } from "./testCluster.ts";

const OUTSIDE_PER_SECOND = 100;
const INSIDE_PER_SECOND = 50;

const indented = (text: string, blanks: number) => text.replaceAll("\n", `\n${" ".repeat(blanks)}`);

const LOADER = `
apiVersion: v1
kind: ConfigMap
metadata: {name: load}
data:
  load.mjs: |${indented(LOAD_PROGRAM, 4)}
---
apiVersion: v1
kind: Pod
metadata: {name: load}
spec:
  restartPolicy: Never
  containers:
    - name: load
      image: tools:1
      command: [node, /load/load.mjs, 'http://go-api/', '${INSIDE_PER_SECOND}']
      volumeMounts: [{name: load, mountPath: /load}]
  volumes: [{name: load, configMap: {name: load}}]
`;

describe.runIf(canRunContainers())("rollouts", () => {
  let cluster: TestCluster;
  const rolledOut = () => cluster.kubectl("rollout status deployment/go-api --timeout=60s");
  const setImage = (tag: string) => cluster.kubectl(`set image deployment/go-api go-api=go-api:${tag}`);
  const replicaSets = async () => {
    const { items } = await cluster.get("rs -l app=go-api");
    // biome-ignore lint/suspicious/noExplicitAny: JSON of kubectl
    return items.map((set: any) => ({
      image: set.spec.template.spec.containers[0].image,
      replicas: set.spec.replicas,
      ready: set.status.readyReplicas ?? 0,
      revision: set.metadata.annotations["deployment.kubernetes.io/revision"],
    }));
  };

  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up("--sample");
    await cluster.packTools();
  });
  afterAll(() => cluster?.delete());

  test("three in a row under load from inside and outside lose not one request", async () => {
    const { status } = await cluster.get(`node ${cluster.node}`);
    const nodeIP = status.addresses.find(({ type }: { type: string }) => type === "InternalIP").address;
    await cluster.apply(LOADER);
    await eventually(
      () => cluster.kubectl("logs load"),
      (text) => text.includes("started"),
    );
    const outside = startLoad(`http://${nodeIP}:30080/`, OUTSIDE_PER_SECOND);
    for (const tag of ["0.0.3", "0.0.2", "0.0.3"]) {
      await setImage(tag);
      expect(await rolledOut()).toContain("successfully rolled out");
    }
    // The last pods are still finishing what is under way; the load goes on until they are gone.
    const names = () => cluster.kubectl("get pods -l app=go-api -o name");
    await eventually(names, (text) => text.trim().split("\n").length === 3);
    const fromOutside = await outside.stop();
    // The program prints its result when it is told to end, and its log goes with the pod: follow it.
    const log = cluster.startKubectl("logs -f load");
    await log.untilOutput(/started/);
    await cluster.kubectl("delete pod load --wait=false");
    const [result = "{}"] = await log.untilOutput(/\{.*\}/);
    const fromInside = JSON.parse(result);
    expect(fromOutside.failures).toEqual([]);
    expect(fromInside.failures).toEqual([]);
    expect(fromOutside.sent).toBeGreaterThan(OUTSIDE_PER_SECOND * 3);
    expect(fromInside.sent).toBeGreaterThan(INSIDE_PER_SECOND * 3);
  });

  test("the new ReplicaSet has all pods, the old one none and stays", async () => {
    const sets = await replicaSets();
    expect(sets).toContainEqual({ image: "go-api:0.0.3", replicas: 3, ready: 3, revision: "4" });
    expect(sets).toContainEqual({ image: "go-api:0.0.2", replicas: 0, ready: 0, revision: "3" });
  });

  test("history lists the revisions and shows a template", async () => {
    expect(await cluster.kubectl("rollout history deployment/go-api")).toMatch(
      /REVISION\s+CHANGE-CAUSE\n3\s+<none>\n4\s+<none>/,
    );
    expect(await cluster.kubectl("rollout history deployment/go-api --revision=3")).toMatch(/Image:\s+go-api:0\.0\.2/);
  });

  test("undo brings the old ReplicaSet back and renumbers its revision", async () => {
    expect(await cluster.kubectl("rollout undo deployment/go-api")).toContain("rolled back");
    await rolledOut();
    expect(await replicaSets()).toContainEqual({ image: "go-api:0.0.2", replicas: 3, ready: 3, revision: "5" });
    expect(await cluster.kubectl("rollout history deployment/go-api")).toMatch(/CHANGE-CAUSE\n4\s+<none>\n5\s+<none>/);
  });

  test("a paused Deployment does not roll out until it is resumed", async () => {
    await cluster.kubectl("rollout pause deployment/go-api");
    await setImage("0.0.3");
    await eventually(
      () => cluster.get("deployment go-api"),
      ({ metadata, status }) => status.observedGeneration === metadata.generation,
    );
    expect((await replicaSets()).find(({ image }: { image: string }) => image === "go-api:0.0.3").replicas).toBe(0);
    await cluster.kubectl("rollout resume deployment/go-api");
    await rolledOut();
    expect((await replicaSets()).find(({ image }: { image: string }) => image === "go-api:0.0.3").replicas).toBe(3);
  });

  test("restart replaces every pod", async () => {
    const names = async () => (await cluster.kubectl("get pods -l app=go-api -o name")).trim().split("\n").sort();
    const before = await names();
    await cluster.kubectl("rollout restart deployment/go-api");
    await rolledOut();
    const after = await eventually(names, (now) => now.length === 3);
    expect(after.filter((name) => before.includes(name))).toEqual([]);
  });

  for (const { what, tag, shows } of [
    { what: "that exits at once", tag: "broken", shows: /CrashLoopBackOff|Error/ },
    { what: "that does not exist", tag: "does-not-exist", shows: /ErrImagePull|ImagePullBackOff/ },
  ]) {
    test(`a rollout to an image ${what} stalls, says so, and the old pods go on serving`, async () => {
      await cluster.kubectl(["patch", "deployment", "go-api", "-p", '{"spec":{"progressDeadlineSeconds":3}}']);
      await setImage(tag);
      const { code, stderr } = await cluster.tryKubectl("rollout status deployment/go-api --timeout=60s");
      expect(code).toBe(1);
      expect(stderr).toContain('deployment "go-api" exceeded its progress deadline');
      const { status } = await cluster.get("deployment go-api");
      expect(status.conditions).toContainEqual(
        expect.objectContaining({ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }),
      );
      expect(status.availableReplicas).toBe(3);
      await eventually(
        () => cluster.kubectl("get pods -l app=go-api"),
        (text) => shows.test(text),
      );
      const service = "/api/v1/namespaces/default/services/go-api:http/proxy/";
      expect(JSON.parse(await cluster.kubectl(`get --raw ${service}`)).version).toBe("0.0.3");
      await cluster.kubectl("rollout undo deployment/go-api");
      await rolledOut();
    });
  }

  test("scaling up and down, and a deleted pod, come to the number asked for", async () => {
    const ready = (count: number) =>
      eventually(
        () => cluster.get("deployment go-api"),
        ({ status }) => status.readyReplicas === count && status.replicas === count,
      );
    await cluster.kubectl("scale deployment go-api --replicas=5");
    await ready(5);
    await cluster.kubectl("scale deployment go-api --replicas=2");
    await ready(2);
    const [victim = ""] = (await cluster.kubectl("get pods -l app=go-api -o name")).trim().split("\n");
    await cluster.kubectl(["delete", victim, "--wait=false"]);
    await eventually(
      () => cluster.kubectl("get pods -l app=go-api --field-selector=status.phase=Running -o name"),
      (names) => !names.includes(victim) && names.trim().split("\n").length === 2,
    );
    await ready(2);
  });
});
