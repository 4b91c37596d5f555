/**
 * What a cluster does when something beneath it breaks or is overrun: the disk, its own processes, its clients, its
 * pods. Each is a real fault of a real cluster.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, pod as podKind } from "../src/api/index.ts";
import type { Client } from "../src/client/client.ts";
import { load } from "../src/cluster/kubeconfigFile.ts";
import { requireRoot } from "../src/lib/testCapabilities.ts";
import { clientPath } from "./clients.ts";
import type { LoadReport } from "./connectionLoad.ts";
import { eventually } from "./eventually.ts";
import { run } from "./processes.ts";
import { canRunContainers, createTestCluster, repository, type TestCluster } from "./testCluster.ts";

const pidIn = (path: string): number => JSON.parse(readFileSync(path, "utf8")).pid;
const controlPlanePid = ({ home, name }: TestCluster) => pidIn(join(home, "run", name, "control-plane.json"));
const agentPid = ({ home, name, node }: TestCluster) => pidIn(join(home, "run", name, "nodes", node, "agent.json"));

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

/** User and system time so far. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const MS_PER_TICK = 10;
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  await eventually(
    () => isRunning(pid),
    (running) => !running,
  );
}

describe.runIf(requireRoot())("without containers", () => {
  let cluster: TestCluster;
  let client: Client;

  beforeAll(async () => {
    cluster = await createTestCluster();
    const data = join(cluster.home, "data");
    mkdirSync(data);
    await run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", data]);
    await cluster.up("--runtime simulated");
    client = load(cluster.kubeconfig);
  });
  afterAll(async () => {
    await client?.transport.close();
    await cluster?.skiff("delete");
    await run(["umount", join(cluster.home, "data")]);
    await cluster.delete();
  });

  const configMapOf = (name: string, bytes: number) => ({
    metadata: { name, namespace: "default" },
    data: { text: "x".repeat(bytes) },
  });

  test("of more than 110 pods on a node, the rest wait or are refused", async () => {
    const namespace = "default";
    const create = (name: string, nodeName?: string) =>
      client.create(podKind, {
        metadata: { name, namespace },
        spec: { containers: [{ name: "c", image: "x" }], ...(nodeName !== undefined && { nodeName }) },
      });
    await Promise.all(Array.from({ length: 120 }, (_, index) => create(`p-${index}`)));
    const inPhase = async (phase: string) =>
      (await client.list(podKind)).items.filter(({ status }) => status.phase === phase);
    await eventually(
      () => inPhase("Running"),
      (running) => running.length === 110,
    );
    const waiting = await eventually(
      () => inPhase("Pending"),
      (pods) => pods.every(({ status }) => status.conditions?.[0]?.reason === "Unschedulable"),
    );
    expect(waiting[0]?.status.conditions?.[0]?.message).toMatch(/^0\/1 nodes are available: 1 Too many pods\./);
    await create("forced", cluster.node);
    const [refused] = await eventually(
      () => inPhase("Failed"),
      (pods) => pods.length === 1,
    );
    expect(refused?.status).toMatchObject({
      reason: "OutOfpods",
      message: "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 110, capacity: 110",
    });
  });

  test("a watcher that does not read is cut off, and costs a bounded amount of memory", async () => {
    const watch = ["get", "--raw", "/api/v1/namespaces/default/configmaps?watch=1"];
    const watcher = spawn(await clientPath("kubectl"), watch, { env: { ...process.env, ...cluster.env } });
    watcher.stdout.pause();
    await client.create(configMap, configMapOf("watched", 1));
    await sleep(500);
    for (let index = 0; index < 60; index++) {
      const data = { text: `${index} ${"x".repeat(900_000)}` };
      await client.patch(configMap, { namespace: "default", name: "watched" }, "merge", { data });
    }
    expect(residentMiB(controlPlanePid(cluster))).toBeLessThan(700);
    let events = 0;
    watcher.stdout.on("data", (bytes: Buffer) => {
      events += bytes.toString("latin1").split("\n").length - 1;
    });
    watcher.stdout.resume();
    await new Promise((resolve) => watcher.once("close", resolve));
    expect(events).toBeLessThan(60);
  });

  test("with a full disk writes fail and say so, reads go on, and nothing acknowledged is lost", async () => {
    const filler = join(cluster.home, "data/filler");
    const { bavail, bsize } = statfsSync(join(cluster.home, "data"));
    writeFileSync(filler, Buffer.alloc(bavail * bsize - 10 * 2 ** 20));
    const acknowledged: string[] = [];
    /** @returns why it ended */
    const writeOnAndOn = async (writer: number): Promise<unknown> => {
      for (let index = 0; ; index++) {
        const name = `full-${writer}-${index}`;
        try {
          await client.create(configMap, configMapOf(name, 200_000));
        } catch (error) {
          return error;
        }
        acknowledged.push(name);
      }
    };
    for (const failure of await Promise.all(Array.from({ length: 8 }, (_, writer) => writeOnAndOn(writer)))) {
      expect(failure).toMatchObject({
        code: 500,
        message: "Internal error occurred: the storage could not write (database or disk is full)",
      });
    }
    const names = async () => {
      const { items } = await client.list(configMap, { namespace: "default" });
      return items.map(({ metadata }) => metadata.name);
    };
    expect(await names()).toEqual(expect.arrayContaining(acknowledged));
    rmSync(filler);
    await eventually(
      () => client.create(configMap, configMapOf("afterwards", 200_000)),
      ({ metadata }) => metadata.name === "afterwards",
    );
    await kill(controlPlanePid(cluster));
    await cluster.up();
    expect(await names()).toEqual(expect.arrayContaining([...acknowledged, "afterwards"]));
  });
});

test.runIf(requireRoot()).each([8, 64, 160])("a start on a disk with %d KiB says that it is full", async (sizeKiB) => {
  const cluster = await createTestCluster();
  await run(["mount", "-t", "tmpfs", "-o", `size=${sizeKiB}k`, "tmpfs", cluster.home]);
  try {
    const { code, stderr } = await cluster.trySkiff("up --runtime simulated");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^skiff: .*(is full \(\d+ KiB left\)|no space left on device)/m);
    expect(stderr).not.toMatch(/^\s+at |Error:/m);
    await cluster.skiff("delete");
  } finally {
    await run(["umount", cluster.home]);
    await cluster.delete();
  }
});

/** Its pods go on after they are told to end for longer than nobody is there to take them out of the Service. */
const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: tools:1
          command: [node, /app.ts]
          env: [{name: VERSION, value: "1"}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
          lifecycle: {preStop: {sleep: {seconds: 15}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
`;

const podOf = (name: string, command: readonly string[], more = "") => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  terminationGracePeriodSeconds: 0
  ${more}
  containers: [{name: main, image: 'tools:1', command: ${JSON.stringify(command)}}]
`;

/** Says `mebibytes` of numbered lines every tenth of a second. */
const chatter = (mebibytes: number): readonly string[] => [
  "node",
  "-e",
  `let line = 0;
   const text = "x".repeat(1015);
   const say = () => {
     let out = "";
     for (let count = 0; count < ${mebibytes * 1024}; count++) out += String(line++).padStart(8) + text + "\\n";
     process.stdout.write(out);
   };
   setInterval(say, 100)`,
];

/** Sends back what it is sent. */
const ECHO = 'require("node:net").createServer((socket) => socket.pipe(socket)).listen(7000)';

describe.runIf(canRunContainers())("with containers", () => {
  let cluster: TestCluster;
  let nodeAddress: string;

  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up();
    await cluster.packTools();
    await cluster.apply([WEB, podOf("box", ["sleep", "10000"]), podOf("echo", ["node", "-e", ECHO])].join("---"));
    await cluster.kubectl("wait --for=condition=Ready pod --all --timeout=60s");
    nodeAddress = (await cluster.get(`node ${cluster.node}`)).status.addresses[0].address;
  });
  afterAll(() => cluster?.delete());

  interface ContainerView {
    readonly containerID: string;
    readonly restartCount: number;
    readonly state: { readonly waiting?: { readonly reason: string } };
  }
  const containers = async (selector = ""): Promise<readonly ContainerView[]> => {
    const { items } = await cluster.get(`pods ${selector}`.trim());
    return items.flatMap(({ status }: { status: { containerStatuses: ContainerView[] } }) => status.containerStatuses);
  };
  const idsOf = (views: readonly ContainerView[]) => views.map(({ containerID }) => containerID).sort();

  test("a rollout goes on, and no request fails, while the control plane is killed", async () => {
    const program = [process.execPath, `${repository}/test/connectionLoad.ts`, `http://${nodeAddress}:30080/`, "50"];
    const clientLoad = cluster.start(program);
    await clientLoad.untilOutput(/started/);
    await cluster.kubectl("set env deployment/web VERSION=2");
    await eventually(
      async () => (await cluster.get("deployment web")).status.updatedReplicas,
      (updated) => updated >= 1,
    );
    await kill(controlPlanePid(cluster));
    await eventually(
      () => cluster.tryKubectl("get namespace default"),
      ({ code }) => code === 0,
    );
    await cluster.kubectl("rollout status deployment/web --timeout=60s");
    // The agent looks again after the API's absence by its back-off; until then the old pods, which are ending, serve.
    await eventually(
      async () => (await (await fetch(`http://${nodeAddress}:30080/`)).json()) as { version: string },
      ({ version }) => version === "2",
    );
    await sleep(1_000);
    const report: LoadReport = JSON.parse((await clientLoad.stop()).stdout.trimEnd().split("\n").at(-1) ?? "");
    expect(report.failures).toEqual([]);
    expect(report.versions).toEqual(["1", "2"]);
  });

  test("an agent that is killed is back at once, with the same containers", async () => {
    const [before, pid] = [await containers(), agentPid(cluster)];
    await kill(pid);
    const killedMs = performance.now();
    await eventually(
      () => agentPid(cluster),
      (now) => now !== pid && isRunning(now),
    );
    // Well below a second where nothing else runs.
    expect(performance.now() - killedMs).toBeLessThan(5_000);
    await eventually(
      () => cluster.kubectl("exec box -- cat /proc/1/comm"),
      (text) => text === "sleep\n",
    );
    const after = await containers();
    expect(idsOf(after)).toEqual(idsOf(before));
    expect(after.every(({ restartCount }) => restartCount === 0)).toBe(true);
  });

  test("a container outlives its conmon, and is started anew when it ends without one", async () => {
    await cluster.apply(podOf("orphan", ["sleep", "10000"]));
    await cluster.kubectl("wait --for=condition=Ready pod/orphan --timeout=30s");
    const [before] = await containers("-l app=orphan");
    const id = before?.containerID.split("//")[1] as string;
    const bundle = join(cluster.home, "run", cluster.name, "nodes", cluster.node);
    const file = (await run(["find", bundle, "-path", `*${id}/conmon.pid`])).trim();
    const [conmon, first] = [
      Number(readFileSync(file, "utf8")),
      Number(readFileSync(join(file, "../pidfile"), "utf8")),
    ];
    await kill(conmon);
    await sleep(500);
    expect(isRunning(first)).toBe(true);
    expect(await containers("-l app=orphan")).toEqual([before]);
    expect(await cluster.kubectl("exec orphan -- cat /proc/1/comm")).toBe("sleep\n");
    await kill(first);
    const [after] = await eventually(
      () => containers("-l app=orphan"),
      ([now]) => now?.restartCount === 1 && now.containerID !== before?.containerID,
    );
    expect(after).toMatchObject({ lastState: { terminated: { exitCode: 255, reason: "Unknown" } } });
  });

  test("64 executions at once each give their own output", async () => {
    const numbers = Array.from({ length: 64 }, (_, index) => `${index}`);
    const say = (number: string) => cluster.kubectl(["exec", "box", "--", "sh", "-c", `echo ${number}`]);
    expect(await Promise.all(numbers.map(say))).toEqual(numbers.map((number) => `${number}\n`));
  });

  test("a forwarded port carries 100 MB both ways", async () => {
    const forward = cluster.startKubectl("port-forward pod/echo :7000");
    const [, port] = await forward.untilOutput(/127\.0\.0\.1:(\d+) -> 7000/);
    const chunk = randomBytes(1_000_000);
    const [sent, received] = [createHash("sha256"), createHash("sha256")];
    const socket = connect(Number(port), "127.0.0.1");
    let receivedBytes = 0;
    socket.on("data", (bytes: Buffer) => {
      received.update(bytes);
      receivedBytes += bytes.length;
    });
    for (let count = 0; count < 100; count++) {
      sent.update(chunk);
      if (!socket.write(chunk)) await once(socket, "drain");
    }
    await eventually(
      () => receivedBytes,
      (bytes) => bytes === 100 * chunk.length,
    );
    socket.destroy();
    await forward.stop();
    expect(received.digest("hex")).toBe(sent.digest("hex"));
  });

  test("a flood of output is bounded, and a follower misses no line of a log that is rotated", async () => {
    await cluster.apply(`${podOf("flood", chatter(1.7))}---${podOf("chatty", chatter(0.2))}`);
    await cluster.kubectl("wait --for=condition=Ready pod/flood pod/chatty --timeout=30s");
    const follower = spawn(await clientPath("kubectl"), ["logs", "-f", "chatty"], {
      env: { ...process.env, ...cluster.env },
    });
    let seen = 0;
    const odd: string[] = [];
    createInterface({ input: follower.stdout }).on("line", (line) => {
      if (Number(line.slice(0, 8)) !== seen++) odd.push(line.slice(0, 20));
    });
    const folderOf = (pod: string) => {
      const logs = join(cluster.home, "data", cluster.name, "nodes", cluster.node, "pod-logs");
      return join(logs, readdirSync(logs).find((name) => name.startsWith(`default_${pod}_`)) ?? "", "main");
    };
    const sizesOf = (pod: string) => readdirSync(folderOf(pod)).map((name) => statSync(join(folderOf(pod), name)).size);
    await eventually(
      () => sizesOf("chatty").length,
      (files) => files >= 2,
    );
    const seenAtRotation = seen;
    await eventually(
      () => seen,
      (lines) => lines > seenAtRotation + 2_000,
    );
    const flooded = sizesOf("flood");
    follower.kill();
    expect(odd).toEqual([]);
    expect(flooded.length).toBeLessThanOrEqual(5);
    // Ten seconds of it, and then at most two seconds in each of the other files.
    expect(flooded.reduce((sum, size) => sum + size, 0)).toBeLessThan(400 * 2 ** 20);
    await cluster.kubectl("delete pod flood chatty");
  });

  test("20 pods in a crash loop cost little while they wait", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `crash-${index}`);
    await cluster.apply(names.map((name) => podOf(name, ["sh", "-c", "exit 1"])).join("---"));
    await eventually(
      async () => (await cluster.get("pods")).items,
      (pods) =>
        pods.filter((pod: { status: { containerStatuses?: readonly ContainerView[] } }) =>
          pod.status.containerStatuses?.some(({ state }) => state.waiting?.reason === "CrashLoopBackOff"),
        ).length === names.length,
    );
    const pids = [controlPlanePid(cluster), agentPid(cluster)];
    const total = () => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
    const before = total();
    await sleep(5_000);
    expect(total() - before).toBeLessThan(2_500);
  });
});
