/** What a cluster is made of, as `kubectl get pods -n kube-system` shows it: names, logs, restarts; and DNS all the while. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import type { Running } from "./processes.ts";
import { canRunContainers, createTestCluster, type TestCluster } from "./testCluster.ts";

/** Asks the cluster's DNS again and again, and prints a line for every answer and every failure. */
const ASK_DNS = `
  const { Resolver } = require("node:dns").promises;
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers(["10.96.0.10"]);
  (async () => {
    for (;;) {
      await resolver.resolve4("kubernetes.default.svc.cluster.local").then(
        ([address]) => console.log("answer", address),
        (error) => console.log("failure", error.code),
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
`;

const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

describe.runIf(canRunContainers())("the system's own pods", () => {
  let cluster: TestCluster;
  let asking: Running;

  const systemPods = async (selector = "") => {
    const { items } = await cluster.get(["pods", "-n", "kube-system", ...(selector === "" ? [] : ["-l", selector])]);
    return items as { metadata: { name: string; uid: string }; status: PodStatus; spec: { nodeName: string } }[];
  };
  interface PodStatus {
    readonly phase: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[];
  }
  const isReady = ({ status }: { status: PodStatus }) => status.containerStatuses?.[0]?.ready === true;
  const untilAllReady = () =>
    eventually(
      () => systemPods(),
      (pods) => pods.length === 7 && pods.every(isReady),
    );
  const componentPod = (name: string) => `${name}-${cluster.node}`;

  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.skiff("up");
    await untilAllReady();
    const network = join(cluster.home, "run", cluster.name, "nodes", cluster.node, "net");
    asking = cluster.start(["nsenter", `--net=${network}`, process.execPath, "-e", ASK_DNS]);
    await asking.untilOutput(/answer 10\.96\.0\.1\n/);
  });
  afterAll(() => cluster?.delete());

  test("have the names that kind gives them", async () => {
    const names = (await systemPods()).map(({ metadata }) => metadata.name).toSorted();
    expect(names).toEqual([
      expect.stringMatching(/^coredns-[a-z0-9]+-[a-z0-9]{5}$/),
      expect.stringMatching(/^coredns-[a-z0-9]+-[a-z0-9]{5}$/),
      componentPod("etcd"),
      componentPod("kube-apiserver"),
      componentPod("kube-controller-manager"),
      expect.stringMatching(/^kube-proxy-[a-z0-9]{5}$/),
      componentPod("kube-scheduler"),
    ]);
    expect(await systemPods("tier=control-plane")).toHaveLength(4);
    expect(await cluster.kubectl("rollout status -n kube-system deployment/coredns")).toContain(
      "successfully rolled out",
    );
    expect(await cluster.kubectl("rollout status -n kube-system daemonset/kube-proxy")).toContain(
      "successfully rolled out",
    );
    const addresses = (await systemPods("k8s-app=kube-dns")).map(({ status }) => status.podIP);
    expect(new Set(addresses).size).toBe(2);
  });

  test("have logs", async () => {
    for (const name of COMPONENTS) {
      expect(await cluster.kubectl(["logs", "-n", "kube-system", componentPod(name)])).toContain(
        `"component":"${name}"`,
      );
    }
    expect(await cluster.kubectl("logs -n kube-system -l k8s-app=kube-dns")).toContain("the cluster's DNS answers");
    expect(await cluster.kubectl("logs -n kube-system daemonset/kube-proxy")).toContain("the service proxy starts");
  });

  test("a deleted coredns pod comes back with another address", async () => {
    const [gone] = await systemPods("k8s-app=kube-dns");
    await cluster.kubectl(["delete", "pod", "-n", "kube-system", `${gone?.metadata.name}`]);
    const pods = await eventually(
      () => systemPods("k8s-app=kube-dns"),
      (now) => now.length === 2 && now.every(isReady),
    );
    expect(pods.map(({ metadata }) => metadata.uid)).not.toContain(gone?.metadata.uid);
    expect(pods.map(({ status }) => status.podIP)).not.toContain(gone?.status.podIP);
  });

  test.each(COMPONENTS)("deleting %s restarts it, while nobody is refused", async (name) => {
    const logs = () => cluster.kubectl(["logs", "-n", "kube-system", componentPod(name)]);
    const begun = /"time":"([^"]+)","component":"[a-z-]+","process":\d+,"msg":"begins"/;
    const before = begun.exec(await logs())?.[1];
    const uid = (await systemPods(`component=${name}`))[0]?.metadata.uid;
    await cluster.kubectl(["delete", "pod", "-n", "kube-system", componentPod(name)]);
    // The API answers all the time, whichever component restarts.
    await systemPods();
    await eventually(
      () => systemPods(`component=${name}`),
      (pods) => pods.length === 1 && pods[0]?.metadata.uid !== uid && pods.every(isReady),
    );
    const after = await eventually(logs, (text) => begun.test(text));
    expect(begun.exec(after)?.[1]).not.toBe(before);
  });

  test("a scheduler and a controller manager that were restarted do their work", async () => {
    await cluster.kubectl("create deployment after --image=skiff.builtin/none:1 --replicas=2");
    await eventually(
      async () => (await cluster.get("pods -l app=after")).items,
      (pods: { spec: { nodeName?: string } }[]) =>
        pods.length === 2 && pods.every(({ spec }) => spec.nodeName !== undefined),
    );
  });

  test("the pods say truthfully what runs", async () => {
    const { spec } = await cluster.get(["pod", "-n", "kube-system", componentPod("etcd")]);
    expect(spec.containers[0].image).toMatch(/^skiff\.builtin\/sqlite-store:/);
    expect(spec.containers[0].command).toContain("--engine=sqlite");
  });

  test("DNS has answered all the time", async () => {
    const answers = await asking.stop();
    expect(answers.stdout.split("\n").filter((line) => line.startsWith("answer")).length).toBeGreaterThan(50);
    expect(answers.stdout).not.toContain("failure");
  });
});
