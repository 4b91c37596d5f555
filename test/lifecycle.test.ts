/** A cluster's own life: up twice, down and up, processes killed without warning, and nothing left at the end. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { type ClusterIdentity, commandOf, identify, processIds, runningTraces, tracesOf } from "./machineTraces.ts";
import { canRunContainers, createTestCluster, skiffCommand, type TestCluster } from "./testCluster.ts";

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: tools:1
          command: [node, /app.ts]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kept}
data: {key: value}
`;

interface Container {
  readonly id: string;
  readonly restarts: number;
}

const NOTHING = {
  processes: [],
  mounts: [],
  namespaces: [],
  cgroups: [],
  interfaces: [],
  routes: [],
  rules: [],
};

describe.runIf(canRunContainers())("the life of a cluster", () => {
  let cluster: TestCluster;
  let identity: ClusterIdentity;

  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up();
    await cluster.packTools();
    await cluster.apply(DEPLOYMENT);
    await cluster.kubectl("rollout status deployment/web --timeout=60s");
    identity = await identify(cluster);
  });
  afterAll(() => cluster?.delete());

  const recordedPid = (...path: string[]): number =>
    JSON.parse(readFileSync(join(cluster.home, "run", cluster.name, ...path), "utf8")).pid;
  const controlPlanePid = () => recordedPid("control-plane.json");
  const agentPid = () => recordedPid("nodes", cluster.node, "agent.json");

  /** By pod. */
  const containers = async (): Promise<Record<string, Container>> => {
    const { items } = await cluster.get("pods -l app=web");
    type Item = {
      metadata: { name: string };
      status: { containerStatuses: { containerID: string; restartCount: number }[] };
    };
    return Object.fromEntries(
      items.map(({ metadata, status }: Item) => {
        const [container] = status.containerStatuses;
        return [metadata.name, { id: container?.containerID, restarts: container?.restartCount }];
      }),
    );
  };
  /** Processes of the sample, wherever they came from: a doubled container would be a further one. */
  const webProcesses = () => processIds(identity).filter((pid) => commandOf(pid).endsWith("node /app.ts"));
  const uids = async (): Promise<Record<string, string>> => {
    const { items } = await cluster.get("deployments,replicasets,pods,services,configmaps,endpointslices -n default");
    return Object.fromEntries(
      items.map(({ kind, metadata }: { kind: string; metadata: { name: string; uid: string } }) => [
        `${kind} ${metadata.name}`,
        metadata.uid,
      ]),
    );
  };
  const webAddress = async (): Promise<string> =>
    (await cluster.get("service web")).status.loadBalancer.ingress[0].ip as string;
  const answers = (address: string) =>
    eventually(
      async () => (await fetch(`http://${address}/healthz`, { signal: AbortSignal.timeout(2000) })).text(),
      (text) => text === "ok\n",
    );

  test("a running cluster leaves traces of every kind, so that their absence means something", async () => {
    const traces = await tracesOf(identity);
    for (const [kind, found] of Object.entries(traces)) expect(found, kind).not.toEqual([]);
    for (const program of [/ control-plane --name /, / agent \//, /conmon /, / \/app\.ts$/])
      expect(traces.processes).toContainEqual(expect.stringMatching(program));
    expect(webProcesses()).toHaveLength(2);
  });

  test("status and list say that it runs", async () => {
    expect(await cluster.skiff("status")).toMatch(new RegExp(`^cluster: +${cluster.name}\ncontrol: +running`));
    const { stdout } = await cluster.start([...skiffCommand, "list"], { input: "" }).finished;
    expect(stdout).toMatch(new RegExp(`^NAME .*\n${cluster.name} +Running +1 `));
  });

  test("up twice is harmless", async () => {
    const before = controlPlanePid();
    expect(await cluster.trySkiff("up")).toMatchObject({ code: 0, stderr: expect.stringContaining("already running") });
    expect(controlPlanePid()).toBe(before);
  });

  test("kill -9 of the control plane: services serve on, and it is back by itself, with the same containers", async () => {
    const [before, address, agent, killed] = [await containers(), await webAddress(), agentPid(), controlPlanePid()];
    process.kill(killed, "SIGKILL");
    await answers(address);
    await eventually(controlPlanePid, (pid) => pid !== killed);
    await eventually(
      () => cluster.trySkiff("status"),
      ({ code }) => code === 0,
    );
    const back = controlPlanePid();
    await cluster.skiff("up");
    expect(controlPlanePid()).toBe(back);
    expect(await cluster.skiff("logs")).toMatch(/"restarts":1,"endedWith":137/);
    expect(agentPid()).toBe(agent);
    await cluster.kubectl("wait --for=condition=Ready pod -l app=web --timeout=30s");
    expect(await containers()).toEqual(before);
    expect(webProcesses()).toHaveLength(2);
  });

  test("kill -9 of the agent: it is started again, and adopts the same containers", async () => {
    const [before, agent] = [await containers(), agentPid()];
    const [pod] = Object.keys(before) as [string];
    process.kill(agent, "SIGKILL");
    await eventually(agentPid, (pid) => pid !== agent);
    // Exec goes through the agent, so it answers again.
    await eventually(
      () => cluster.kubectl(["exec", pod, "--", "node", "--print", "1 + 1"]),
      (text) => text === "2\n",
    );
    await cluster.kubectl(`wait --for=condition=Ready node/${cluster.node} --timeout=30s`);
    expect(await containers()).toEqual(before);
    expect(webProcesses()).toHaveLength(2);
    expect(await cluster.kubectl(`logs ${pod}`)).toContain("listens on port 8080");
    // What the new agent sees is live: a deleted pod goes, with its container.
    await cluster.kubectl(`delete pod ${pod}`);
    await cluster.kubectl("rollout status deployment/web --timeout=60s");
    await eventually(webProcesses, (pids) => pids.length === 2);
    expect(Object.keys(await containers())).not.toContain(pod);
  });

  test("kill -9 of all our processes at once: up adopts the same containers", async () => {
    const before = await containers();
    const dead = [recordedPid("supervisor.json"), controlPlanePid(), agentPid()];
    for (const pid of dead) process.kill(pid, "SIGKILL");
    expect(await cluster.trySkiff("status")).toMatchObject({ code: 1, stdout: expect.stringMatching(/stopped/) });
    await cluster.skiff("up");
    await cluster.kubectl("wait --for=condition=Ready pod -l app=web --timeout=30s");
    expect(await containers()).toEqual(before);
    expect(webProcesses()).toHaveLength(2);
    await answers(await webAddress());
  });

  test("a container that ended while nobody looked is started again, once", async () => {
    const before = await containers();
    const [victim] = webProcesses() as [number];
    const dead = [recordedPid("supervisor.json"), controlPlanePid(), agentPid(), victim];
    for (const pid of dead) process.kill(pid, "SIGKILL");
    await cluster.skiff("up");
    const after = await eventually(containers, (all) => Object.values(all).some(({ restarts }) => restarts === 1));
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
    await cluster.kubectl("rollout status deployment/web --timeout=60s");
    expect(webProcesses()).toHaveLength(2);
  });

  test("down leaves nothing that runs and keeps the data; up brings the same objects back, containers anew", async () => {
    const [before, containersBefore] = [await uids(), await containers()];
    await cluster.skiff("down");
    expect(runningTraces(await tracesOf(identity))).toEqual(NOTHING);
    const status = await cluster.trySkiff("status");
    expect(status).toMatchObject({ code: 1, stdout: expect.stringMatching(/control: +stopped/) });
    await cluster.skiff("down");
    await cluster.skiff("up");
    await cluster.kubectl("rollout status deployment/web --timeout=60s");
    await eventually(webProcesses, (pids) => pids.length === 2);
    const containersAfter = await eventually(containers, (all) =>
      Object.values(all).every(({ id }) => !Object.values(containersBefore).some((old) => old.id === id)),
    );
    expect(Object.keys(containersAfter).sort()).toEqual(Object.keys(containersBefore).sort());
    expect(await uids()).toEqual(before);
    expect((await cluster.get("configmap kept")).data).toEqual({ key: "value" });
    await answers(await webAddress());
  });

  test("kill -9 of everything, then delete: nothing is left", async () => {
    identity = await identify(cluster);
    for (const pid of processIds(identity)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It went with another one.
      }
    }
    await cluster.skiff("delete");
    expect(await tracesOf(identity)).toEqual({ ...NOTHING, files: [] });
    expect(existsSync(join(cluster.home, ".kube", "config"))).toBe(false);
    await cluster.skiff("delete");
  });
});
