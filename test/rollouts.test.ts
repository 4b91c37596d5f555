/** Updates without downtime: the sample rolled out, back, paused, stalled and scaled, most of it under load. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LoadReport } from "./connectionLoad.ts";
import { eventually } from "./eventually.ts";
import type { Running } from "./processes.ts";
import { canRunContainers, createTestCluster, repository, type TestCluster } from "./testCluster.ts";

const REQUESTS_PER_SECOND = 100;
/** Less than this was no load. */
const REQUESTS_PER_SECOND_MIN = 80;

const insideLoad = (name: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: Never
  containers:
    - {name: load, image: 'tools:1', command: [node, /connectionLoad.ts, http://go-api/, '${REQUESTS_PER_SECOND}']}
`;

interface Load {
  /** @returns what the clients outside and inside of the cluster saw */
  end(): Promise<{ readonly outside: LoadReport; readonly inside: LoadReport }>;
}

describe.runIf(canRunContainers())("rollouts of the sample", () => {
  let cluster: TestCluster;
  let nodeAddress: string;
  let loads = 0;

  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up("--sample");
    await cluster.packTools();
    const node = await cluster.get(`node ${cluster.node}`);
    nodeAddress = node.status.addresses[0].address;
  });
  afterAll(() => cluster?.delete());

  const lastLine = (text: string): LoadReport => JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");

  /** Through the NodePort from here and through the Service's name from a pod. */
  async function startLoad(): Promise<Load> {
    const name = `load-${++loads}`;
    const url = `http://${nodeAddress}:30080/`;
    const program = [process.execPath, `${repository}/test/connectionLoad.ts`, url, `${REQUESTS_PER_SECOND}`];
    const outside = cluster.start(program);
    await cluster.apply(insideLoad(name));
    await cluster.kubectl(`wait --for=condition=Ready pod/${name} --timeout=30s`);
    const inside = cluster.startKubectl(`logs -f ${name}`);
    await Promise.all([outside, inside].map((running: Running) => running.untilOutput(/started/)));
    return {
      end: async () => {
        const seenOutside = (await outside.stop()).stdout;
        await cluster.kubectl(`delete pod ${name}`);
        return { outside: lastLine(seenOutside), inside: lastLine((await inside.finished).stdout) };
      },
    };
  }

  async function expectNoFailure(load: Load, versions: readonly string[]): Promise<void> {
    for (const report of Object.values(await load.end())) {
      expect(report.failures).toEqual([]);
      expect([...report.versions].sort()).toEqual(versions);
      expect(report.perSecond).toBeGreaterThan(REQUESTS_PER_SECOND_MIN);
    }
  }

  const rolledOut = () => cluster.kubectl("rollout status deployment/go-api --timeout=60s");
  const imageOf = async () => (await cluster.get("deployment go-api")).spec.template.spec.containers[0].image;
  /** Desired numbers of the ReplicaSets by their revision. */
  const replicaSets = async (): Promise<Record<string, number>> => {
    const { items } = await cluster.get("rs -l app=go-api");
    return Object.fromEntries(
      items.map(
        ({ metadata, spec }: { metadata: { annotations: Record<string, string> }; spec: { replicas: number } }) => [
          metadata.annotations["deployment.kubernetes.io/revision"],
          spec.replicas,
        ],
      ),
    );
  };

  test("three rollouts in a row fail no request, from outside and from inside", async () => {
    const load = await startLoad();
    expect(await cluster.kubectl("set image deployment/go-api go-api=go-api:0.0.3")).toBe(
      "deployment.apps/go-api image updated\n",
    );
    expect(await rolledOut()).toContain('deployment "go-api" successfully rolled out');
    await cluster.kubectl("set env deployment/go-api COLOUR=green");
    await rolledOut();
    await cluster.kubectl("rollout restart deployment/go-api");
    await rolledOut();
    await expectNoFailure(load, ["0.0.2", "0.0.3"]);
  });

  test("get rs shows the newest at 3 and the old ones kept at 0; history lists the revisions", async () => {
    expect(await replicaSets()).toEqual({ 1: 0, 2: 0, 3: 0, 4: 3 });
    const text = await cluster.kubectl("get rs -l app=go-api -o wide");
    expect(text.split("\n")[0]).toMatch(/^NAME +DESIRED +CURRENT +READY +AGE +CONTAINERS +IMAGES +SELECTOR/);
    expect(await cluster.kubectl("rollout history deployment/go-api")).toMatch(
      /^deployment\.apps\/go-api \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n3 +<none>\n4 +<none>\n/,
    );
    const second = await cluster.kubectl("rollout history deployment/go-api --revision=2");
    expect(second).toMatch(/deployment\.apps\/go-api with revision #2\nPod Template:/);
    expect(second).toMatch(/Image:\s+go-api:0\.0\.3/);
    expect(await cluster.kubectl("rollout history deployment/go-api --revision=1")).toMatch(/Image:\s+go-api:0\.0\.2/);
  });

  test("undo goes back without a failed request, and renumbers the revision it went back to", async () => {
    const load = await startLoad();
    await cluster.kubectl("rollout undo deployment/go-api --to-revision=1");
    await rolledOut();
    await expectNoFailure(load, ["0.0.2", "0.0.3"]);
    expect(await imageOf()).toBe("go-api:0.0.2");
    expect(await replicaSets()).toEqual({ 2: 0, 3: 0, 4: 0, 5: 3 });
    await cluster.kubectl("rollout undo deployment/go-api");
    await rolledOut();
    expect(await replicaSets()).toEqual({ 2: 0, 3: 0, 5: 0, 6: 3 });
  });

  test("a paused deployment collects changes, and rolls them out at once when resumed", async () => {
    await cluster.kubectl("rollout pause deployment/go-api");
    await cluster.kubectl("set image deployment/go-api go-api=go-api:0.0.2");
    await cluster.kubectl("set env deployment/go-api COLOUR=blue");
    await eventually(
      () => cluster.get("deployment go-api"),
      ({ metadata, status }) => status.observedGeneration === metadata.generation,
    );
    expect(await replicaSets()).toEqual({ 2: 0, 3: 0, 5: 0, 6: 3 });
    const refused = await cluster.tryKubectl("rollout undo deployment/go-api");
    expect(refused.stderr).toContain("cannot rollback a paused deployment; resume it first");
    await cluster.kubectl("rollout resume deployment/go-api");
    await rolledOut();
    expect(await replicaSets()).toEqual({ 2: 0, 3: 0, 5: 0, 6: 0, 7: 3 });
  });

  test.each([
    { why: "exits at once", image: "go-api:broken", state: /CrashLoopBackOff|Error/ },
    { why: "does not exist", image: "127.0.0.1:1/go-api:9.9.9", state: /ErrImagePull|ImagePullBackOff/ },
  ])("a rollout to an image that $why stalls, says so, and the old pods serve on", async ({ image, state }) => {
    await cluster.kubectl(["patch", "deployment", "go-api", "-p", '{"spec":{"progressDeadlineSeconds":4}}']);
    const load = await startLoad();
    await cluster.kubectl(`set image deployment/go-api go-api=${image}`);
    const status = await cluster.tryKubectl("rollout status deployment/go-api --timeout=60s");
    expect(status).toMatchObject({ code: 1, stderr: 'error: deployment "go-api" exceeded its progress deadline\n' });
    const { status: stalled } = await cluster.get("deployment go-api");
    const progressing = stalled.conditions.find(({ type }: { type: string }) => type === "Progressing");
    expect(progressing).toMatchObject({ status: "False", reason: "ProgressDeadlineExceeded" });
    expect(progressing.message).toMatch(/^ReplicaSet "go-api-\w+" has timed out progressing\.$/);
    expect(stalled).toMatchObject({ availableReplicas: 3, replicas: 4, updatedReplicas: 1, unavailableReplicas: 1 });
    const pods = await cluster.kubectl("get pods -l app=go-api");
    expect(pods.split("\n").filter((line) => state.test(line))).toHaveLength(1);
    await cluster.kubectl("rollout undo deployment/go-api");
    await rolledOut();
    await expectNoFailure(load, ["0.0.2"]);
  });

  test("scale up and down; get deployment and its events say so", async () => {
    await cluster.kubectl("scale deployment/go-api --replicas=5");
    await rolledOut();
    expect(await cluster.kubectl("get deployment go-api")).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\ngo-api +5\/5 +5 +5 +/,
    );
    await cluster.kubectl("scale deployment/go-api --current-replicas=5 --replicas=2");
    await cluster.kubectl("wait --for=jsonpath={.status.replicas}=2 deployment/go-api --timeout=60s");
    const described = await cluster.kubectl("describe deployment go-api");
    expect(described).toMatch(
      /ScalingReplicaSet +.*deployment-controller +Scaled (up|down) replica set go-api-\w+ from \d to \d/,
    );
    expect(described).toMatch(/Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable/);
    expect(described).toMatch(/RollingUpdateStrategy: +0 max unavailable, 1 max surge/);
    expect(await cluster.kubectl("get events")).toMatch(
      /SuccessfulCreate +replicaset\/go-api-\w+ +Created pod: go-api-/,
    );
  });

  test("a deleted pod is replaced at once by another with another name and address", async () => {
    type Pod = { metadata: { name: string; deletionTimestamp?: string }; status: { podIP: string } };
    // Pods of the test before may still be finishing what is under way.
    const staying = async (): Promise<Pod[]> =>
      (await cluster.get("pods -l app=go-api --field-selector=status.phase=Running")).items.filter(
        ({ metadata }: Pod) => metadata.deletionTimestamp === undefined,
      );
    const before = await eventually(staying, (pods) => pods.length === 2);
    const [victim] = before as [Pod];
    await cluster.kubectl(`delete pod ${victim.metadata.name} --wait=false`);
    const pods = await eventually(staying, (pods) => pods.length === 2);
    const names = new Set(before.map(({ metadata }) => metadata.name));
    const fresh = pods.filter(({ metadata }) => !names.has(metadata.name));
    expect(fresh).toHaveLength(1);
    expect(fresh[0]?.status.podIP).not.toBe(victim.status.podIP);
  });

  test("logs, exec and port-forward take the deployment's name", async () => {
    expect(await cluster.kubectl("logs deployment/go-api")).toContain("version 0.0.2 listens on port 8080");
    expect(await cluster.kubectl("exec deployment/go-api -- node --version")).toMatch(/^v\d+/);
    const forward = cluster.startKubectl("port-forward deployment/go-api :8080");
    const [, port] = await forward.untilOutput(/127\.0\.0\.1:(\d+)/);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).json()).toMatchObject({ version: "0.0.2" });
    await forward.stop();
  });

  test("started anew after down, it is called available only when its new containers answer", async () => {
    await cluster.skiff("down");
    await cluster.up("--sample");
    const { items } = await cluster.get("pods -l app=go-api");
    expect(items).not.toHaveLength(0);
    const answers = items.map(({ metadata }: { metadata: { name: string } }) =>
      cluster.kubectl(`get --raw /api/v1/namespaces/default/pods/${metadata.name}/proxy/healthz`),
    );
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["ok\n"]));
  });
});
