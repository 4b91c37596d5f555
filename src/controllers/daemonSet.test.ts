import { describe, expect, it } from "vitest";
import type { ControllerRevision, DaemonSet } from "../api/generated/apps-v1.ts";
import type { Event, Node, Pod } from "../api/generated/core-v1.ts";
import {
  daemonSet as daemonSetKind,
  event as eventKind,
  node as nodeKind,
  pod as podKind,
  controllerRevision as revisionKind,
} from "../api/index.ts";
import { resourcePath } from "../client/client.ts";
import type { Draft } from "../machinery/object.ts";
import { targetNodeOf } from "./daemonSet/nodeFit.ts";
import { startDaemonSetController } from "./daemonSet.ts";
import { startSystemNamespacesController } from "./systemNamespaces.ts";
import { healthyPods, startTestCluster, type TestCluster } from "./testing/testCluster.ts";

const target = { namespace: "default", name: "agent" };

/** Nodes, and somebody who binds each pod to the node that it asks for. */
async function startWithNodes(names: readonly string[]): Promise<TestCluster> {
  const controllers = [startSystemNamespacesController, startDaemonSetController];
  const cluster = await startTestCluster({ controllers, pods: healthyPods });
  cluster.informers.of<Pod>(podKind).addHandler({
    onAdd: (pod) => {
      if (pod.spec?.nodeName !== undefined) return;
      const { name, namespace = "" } = pod.metadata;
      void cluster.client.raw({
        method: "POST",
        path: resourcePath(podKind, { namespace, name, subresource: "binding" }),
        headers: { "content-type": "application/json" },
        body: {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { name, namespace },
          target: { kind: "Node", name: targetNodeOf(pod) },
        },
      });
    },
  });
  for (const name of names) await addNode(cluster, name);
  return cluster;
}

const addNode = ({ client }: TestCluster, name: string, taints?: NonNullable<Node["spec"]>["taints"]) =>
  client.create<Node>(nodeKind, { metadata: { name, labels: { os: "linux" } }, ...(taints && { spec: { taints } }) });

const agent = (image: string, more: Partial<DaemonSet["spec"]> = {}): Draft<DaemonSet> => ({
  metadata: { ...target },
  spec: {
    selector: { matchLabels: { app: "agent" } },
    template: {
      metadata: { labels: { app: "agent" } } as never,
      spec: { containers: [{ name: "c", image }] } as never,
    },
    ...more,
  },
});
const setImage = ({ client }: TestCluster, image: string) =>
  client.patch<DaemonSet>(daemonSetKind, target, "strategic", {
    spec: { template: { spec: { containers: [{ name: "c", image }] } } },
  });
const get = ({ client }: TestCluster) => client.get<DaemonSet>(daemonSetKind, target);
/** "n1:v1 n2:v1" */
const placed = async ({ client }: TestCluster) =>
  (await client.list<Pod>(podKind)).items
    .map(
      (pod) =>
        `${targetNodeOf(pod)}:${pod.spec?.containers[0]?.image}${pod.metadata.deletionTimestamp === undefined ? "" : "!"}`,
    )
    .sort()
    .join(" ");

async function isUpdated(cluster: TestCluster): Promise<boolean> {
  const { status, metadata } = await get(cluster);
  const counts = [status.updatedNumberScheduled, status.numberAvailable];
  return (
    status.observedGeneration === metadata.generation &&
    counts.every((count) => count === status.desiredNumberScheduled)
  );
}

describe("a DaemonSet", () => {
  it("has a pod on each node, and on each node that comes", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await cluster.client.create(daemonSetKind, agent("v1"));
    await cluster.until(() => isUpdated(cluster));
    await addNode(cluster, "n3");
    await cluster.pass(5);
    expect(await placed(cluster)).toBe("n1:v1 n2:v1 n3:v1");
    expect((await get(cluster)).status).toMatchObject({
      desiredNumberScheduled: 3,
      numberReady: 3,
      numberMisscheduled: 0,
    });
    const [pod] = (await cluster.client.list<Pod>(podKind)).items;
    expect(pod?.spec?.tolerations?.map(({ key }) => key)).toContain("node.kubernetes.io/unschedulable");
  });

  it("keeps off nodes that it does not tolerate, and leaves one that starts to evict", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await addNode(cluster, "n3", [{ key: "k", effect: "NoSchedule" }]);
    await cluster.client.create(daemonSetKind, agent("v1"));
    await cluster.until(() => isUpdated(cluster));
    expect(await placed(cluster)).toBe("n1:v1 n2:v1");
    const spec = { taints: [{ key: "k", effect: "NoExecute" }] };
    await cluster.client.patch(nodeKind, { name: "n1" }, "merge", { spec });
    await cluster.client.patch(nodeKind, { name: "n2" }, "merge", {
      spec: { taints: [{ key: "k", effect: "NoSchedule" }] },
    });
    await cluster.pass(5);
    expect(await placed(cluster)).toBe("n2:v1");
    expect((await get(cluster)).status).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 1 });
  });

  it("is updated one node at a time, and remembers its revisions", async () => {
    await using cluster = await startWithNodes(["n1", "n2", "n3"]);
    await cluster.client.create(daemonSetKind, agent("v1"));
    await cluster.until(() => isUpdated(cluster));
    await setImage(cluster, "v2");
    const downs: number[] = [];
    cluster.informers.of<Pod>(podKind).addHandler({
      onUpdate: () => {
        const up = cluster.informers
          .of<Pod>(podKind)
          .list()
          .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === "Running");
        downs.push(3 - up.length);
      },
    });
    await cluster.until(() => isUpdated(cluster));
    expect(Math.max(...downs)).toBe(1);
    expect(await placed(cluster)).toBe("n1:v2 n2:v2 n3:v2");
    const revisions = (await cluster.client.list<ControllerRevision>(revisionKind)).items.map(
      ({ revision }) => revision,
    );
    expect(revisions.sort()).toEqual([1, 2]);
    await setImage(cluster, "v1");
    await cluster.until(() => isUpdated(cluster));
    const after = (await cluster.client.list<ControllerRevision>(revisionKind)).items.map(({ revision }) => revision);
    expect(after.sort()).toEqual([2, 3]);
  });

  it("that may surge has the new pod up before the old one goes", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await cluster.client.create(daemonSetKind, agent("v1", { updateStrategy }));
    await cluster.until(() => isUpdated(cluster));
    await setImage(cluster, "v2");
    await cluster.pass(1);
    expect((await placed(cluster)).split(" ")).toHaveLength(3);
    await cluster.until(() => isUpdated(cluster));
    await cluster.pass(5);
    expect(await placed(cluster)).toBe("n1:v2 n2:v2");
  });

  it("that is updated by hand replaces only what is deleted", async () => {
    await using cluster = await startWithNodes(["n1", "n2"]);
    await cluster.client.create(daemonSetKind, agent("v1", { updateStrategy: { type: "OnDelete" } }));
    await cluster.until(() => isUpdated(cluster));
    await setImage(cluster, "v2");
    await cluster.pass(30);
    expect(await placed(cluster)).toBe("n1:v1 n2:v1");
    const [first] = (await cluster.client.list<Pod>(podKind)).items.filter((pod) => targetNodeOf(pod) === "n1");
    await cluster.client.delete(podKind, { namespace: "default", name: first?.metadata.name ?? "" });
    await cluster.pass(30);
    expect(await placed(cluster)).toBe("n1:v2 n2:v1");
  });

  it("replaces a failed pod, and the next one only after a while", async () => {
    await using cluster = await startWithNodes(["n1"]);
    await cluster.client.create(daemonSetKind, agent("v1"));
    await cluster.until(() => isUpdated(cluster));
    const only = async () => (await cluster.client.list<Pod>(podKind)).items[0]?.metadata.name ?? "";
    const fail = async () => {
      const status = { phase: "Failed" };
      const name = await only();
      await cluster.client.patch(
        podKind,
        { namespace: "default", name },
        "merge",
        { status },
        { subresource: "status" },
      );
      await cluster.pass(0.1);
    };
    const first = await only();
    await fail();
    const second = await only();
    expect(second).not.toBe(first);
    await fail();
    expect(await only()).toBe(second);
    await cluster.pass(1);
    expect(await only()).not.toBe(second);
    const events = (await cluster.client.list<Event>(eventKind)).items.map(({ reason }) => reason);
    expect(events).toContain("FailedDaemonPod");
  });
});
