import { describe, expect, it } from "vitest";
import type { Deployment, ReplicaSet } from "../api/generated/apps-v1.ts";
import type { Event, Pod } from "../api/generated/core-v1.ts";
import {
  deployment as deploymentKind,
  event as eventKind,
  pod as podKind,
  replicaSet as replicaSetKind,
} from "../api/index.ts";
import type { Draft } from "../machinery/object.ts";
import { startDeploymentController } from "./deployment.ts";
import { startReplicaSetController } from "./replicaSet.ts";
import { healthyPods, type PodBehaviour, startTestCluster, type TestCluster } from "./testing/testCluster.ts";

const labels = { app: "web" };
const target = { namespace: "default", name: "web" };

const web = (image: string, more: Partial<Deployment["spec"]> = {}): Draft<Deployment> => ({
  metadata: { ...target },
  spec: {
    replicas: 3,
    selector: { matchLabels: labels },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels } as never,
      spec: { nodeName: "n1", containers: [{ name: "c", image }] } as never,
    },
    ...more,
  },
});

async function startRollouts(pods: PodBehaviour = healthyPods, seed?: string): Promise<TestCluster> {
  const controllers = [startDeploymentController, startReplicaSetController];
  const cluster = await startTestCluster({ controllers, pods, ...(seed !== undefined && { seed }) });
  return cluster;
}

const get = ({ client }: TestCluster) => client.get<Deployment>(deploymentKind, target);
const sets = async ({ client }: TestCluster) => (await client.list<ReplicaSet>(replicaSetKind)).items;
const setImage = ({ client }: TestCluster, image: string) =>
  client.patch<Deployment>(deploymentKind, target, "strategic", {
    spec: { template: { spec: { containers: [{ name: "c", image }] } } },
  });

async function isComplete(cluster: TestCluster): Promise<boolean> {
  const { status, spec, metadata } = await get(cluster);
  const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
  return status.observedGeneration === metadata.generation && counts.every((count) => (count ?? 0) === spec.replicas);
}

const progress = async (cluster: TestCluster) =>
  (await get(cluster)).status.conditions?.find(({ type }) => type === "Progressing");

/** "image:pods@revision" of each set, oldest revision first. */
async function history(cluster: TestCluster): Promise<string> {
  const all = (await sets(cluster)).map((set) => {
    const revision = set.metadata.annotations?.["deployment.kubernetes.io/revision"];
    return `${set.spec.template?.spec?.containers[0]?.image}:${set.status.replicas}@${revision}`;
  });
  return all.toSorted((a, b) => Number(a.split("@")[1]) - Number(b.split("@")[1])).join(" ");
}

describe("a rollout", () => {
  it("makes a set and its pods, and is complete", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1"));
    await cluster.until(() => isComplete(cluster));
    expect(await history(cluster)).toBe("v1:3@1");
    expect((await get(cluster)).metadata).toMatchObject({
      generation: 1,
      annotations: { "deployment.kubernetes.io/revision": "1" },
    });
    expect(await progress(cluster)).toMatchObject({ status: "True", reason: "NewReplicaSetAvailable" });
    const [set] = await sets(cluster);
    const pods = (await cluster.client.list<Pod>(podKind)).items;
    expect(pods.map((pod) => pod.metadata.ownerReferences?.[0]?.uid)).toEqual(Array(3).fill(set?.metadata.uid));
    expect(pods.every((pod) => pod.metadata.name.startsWith(`${set?.metadata.name}-`))).toBe(true);
  });

  it("never has more than the surge allows, nor fewer available than asked for", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1"));
    await cluster.until(() => isComplete(cluster));
    await setImage(cluster, "v2");
    const counts: number[] = [];
    const availables: number[] = [];
    cluster.informers.of<Pod>(podKind).addHandler({
      onUpdate: () => {
        const pods = cluster.informers.of<Pod>(podKind).list();
        const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
        counts.push(alive.length);
        availables.push(alive.filter((pod) => pod.status?.phase === "Running").length);
      },
    });
    await cluster.until(() => isComplete(cluster));
    expect(Math.max(...counts)).toBe(4);
    expect(Math.min(...availables)).toBe(3);
    expect(await history(cluster)).toBe("v1:0@1 v2:3@2");
  });

  it("goes back to an old template in its old set, with a new revision", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1"));
    await cluster.until(() => isComplete(cluster));
    await setImage(cluster, "v2");
    await cluster.until(() => isComplete(cluster));
    await setImage(cluster, "v1");
    await cluster.until(() => isComplete(cluster));
    expect(await history(cluster)).toBe("v2:0@2 v1:3@3");
    expect((await get(cluster)).metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
    const set = (await sets(cluster)).find(({ status }) => status.replicas === 3);
    expect(set?.metadata.annotations?.["deployment.kubernetes.io/revision-history"]).toBe("1");
  });

  it("to pods that never become ready stalls, keeps the old ones and misses its deadline", async () => {
    const readyAfterMs = (pod: Pod) => (pod.spec?.containers[0]?.image === "broken" ? undefined : 2000);
    await using cluster = await startRollouts({ ...healthyPods, readyAfterMs });
    await cluster.client.create(deploymentKind, web("v1", { progressDeadlineSeconds: 600 }));
    await cluster.until(() => isComplete(cluster));
    await setImage(cluster, "broken");
    await cluster.pass(590);
    expect(await progress(cluster)).toMatchObject({ status: "True", reason: "ReplicaSetUpdated" });
    await cluster.pass(15);
    expect(await progress(cluster)).toMatchObject({ status: "False", reason: "ProgressDeadlineExceeded" });
    expect(await history(cluster)).toBe("v1:3@1 broken:1@2");
    expect((await get(cluster)).status).toMatchObject({ availableReplicas: 3, unavailableReplicas: 1 });
  });

  it("that recreates lets every old pod go before it makes a new one", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1", { strategy: { type: "Recreate" } }));
    await cluster.until(() => isComplete(cluster));
    let isMixed = false;
    cluster.informers.of<Pod>(podKind).addHandler({
      onAdd: () => {
        const images = cluster.informers
          .of<Pod>(podKind)
          .list()
          .map((pod) => pod.spec?.containers[0]?.image);
        isMixed ||= new Set(images).size > 1;
      },
    });
    await setImage(cluster, "v2");
    await cluster.until(() => isComplete(cluster));
    expect(isMixed).toBe(false);
    expect(await history(cluster)).toBe("v1:0@1 v2:3@2");
  });

  it("rests while it is paused, and goes on when resumed", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1"));
    await cluster.until(() => isComplete(cluster));
    await cluster.client.patch(deploymentKind, target, "merge", { spec: { paused: true } });
    await setImage(cluster, "v2");
    await cluster.pass(60);
    expect(await history(cluster)).toBe("v1:3@1");
    expect(await progress(cluster)).toMatchObject({ status: "Unknown", reason: "DeploymentPaused" });
    await cluster.client.patch(deploymentKind, target, "merge", { spec: { paused: false } });
    await cluster.until(() => isComplete(cluster));
    expect(await history(cluster)).toBe("v1:0@1 v2:3@2");
  });

  it("keeps no more old sets than the history's limit", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1", { revisionHistoryLimit: 1 }));
    await cluster.until(() => isComplete(cluster));
    for (const image of ["v2", "v3"]) {
      await setImage(cluster, image);
      await cluster.until(() => isComplete(cluster));
      await cluster.pass(5);
    }
    expect(await history(cluster)).toBe("v2:0@2 v3:3@3");
  });

  it("replaces a pod that was deleted", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1"));
    await cluster.until(() => isComplete(cluster));
    const [victim] = (await cluster.client.list<Pod>(podKind)).items;
    await cluster.client.delete(podKind, { namespace: "default", name: victim?.metadata.name ?? "" });
    await cluster.pass(10);
    const names = (await cluster.client.list<Pod>(podKind)).items.map((pod) => pod.metadata.name);
    expect(names).toHaveLength(3);
    expect(names).not.toContain(victim?.metadata.name);
  });

  it("says what it does", async () => {
    await using cluster = await startRollouts();
    await cluster.client.create(deploymentKind, web("v1"));
    await cluster.until(() => isComplete(cluster));
    const events = (await cluster.client.list<Event>(eventKind)).items;
    const [set] = await sets(cluster);
    expect(events.find(({ reason }) => reason === "ScalingReplicaSet")).toMatchObject({
      message: `Scaled up replica set ${set?.metadata.name} from 0 to 3`,
      involvedObject: { kind: "Deployment", name: "web" },
      source: { component: "deployment-controller" },
      count: 1,
    });
    expect(events.filter(({ reason }) => reason === "SuccessfulCreate")).toHaveLength(3);
  });
});

describe("time and chance", () => {
  async function story(seed: string): Promise<string> {
    await using cluster = await startRollouts(healthyPods, seed);
    const seen: string[] = [];
    const note = (what: string) => (object: unknown) => void seen.push(`${what} ${JSON.stringify(object)}`);
    cluster.informers.of<Pod>(podKind).addHandler({ onAdd: note("+"), onDelete: note("-") });
    cluster.informers.of<Deployment>(deploymentKind).addHandler({ onUpdate: (_, next) => note("~")(next) });
    await cluster.client.create(deploymentKind, web("v1"));
    await cluster.until(() => isComplete(cluster));
    await setImage(cluster, "v2");
    await cluster.until(() => isComplete(cluster));
    return seen.join("\n");
  }

  it("the same seed gives the same history, and another one another", async () => {
    const [first, second, other] = [await story("a"), await story("a"), await story("b")];
    expect(second).toBe(first);
    expect(other).not.toBe(first);
  });
});
