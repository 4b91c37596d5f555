import { describe, expect, it } from "vitest";
import type { Deployment } from "../api/generated/apps-v1.ts";
import type { Endpoints, Namespace, Node, Pod, Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import {
  deployment as deploymentKind,
  endpoints as endpointsKind,
  namespace as namespaceKind,
  node as nodeKind,
  pod as podKind,
  replicaSet as replicaSetKind,
  service as serviceKind,
  endpointSlice as sliceKind,
} from "../api/index.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { controllers } from "./index.ts";
import { healthyPods, startTestCluster, type TestCluster } from "./testing/testCluster.ts";

const settings = {
  rootCa: "PEM",
  apiServer: { address: "172.18.0.2", port: 6443, serviceAddress: "10.96.0.1" },
  loadBalancerRange: "172.18.255.0/24",
};

/** Every controller, on a cluster with one node that is well. */
async function start(seed = "seed"): Promise<TestCluster> {
  const all = Object.values(controllers).map((run) => (context: ControllerContext) => run({ ...context, ...settings }));
  const cluster = await startTestCluster({ controllers: all, pods: healthyPods, seed });
  await cluster.client.create<Node>(nodeKind, { metadata: { name: "n1" } });
  const conditions = [{ type: "Ready", status: "True" }];
  await cluster.client.patch(nodeKind, { name: "n1" }, "merge", { status: { conditions } }, { subresource: "status" });
  const beat = async () => {
    const status = {
      conditions: [{ ...conditions[0], lastHeartbeatTime: new Date(cluster.clock.now()).toISOString() }],
    };
    await cluster.client.patch(nodeKind, { name: "n1" }, "merge", { status }, { subresource: "status" });
    cluster.clock.setTimer(10_000, () => void beat());
  };
  await beat();
  return cluster;
}

const target = { namespace: "shop", name: "web" };

async function deploy({ client }: TestCluster): Promise<void> {
  await client.create<Namespace>(namespaceKind, { metadata: { name: "shop" } });
  const labels = { app: "web" };
  const template = {
    metadata: { labels } as never,
    spec: {
      nodeName: "n1",
      containers: [{ name: "c", image: "v1", ports: [{ name: "http", containerPort: 8080 }] }],
    } as never,
  };
  await client.create<Deployment>(deploymentKind, {
    metadata: target,
    spec: { replicas: 3, selector: { matchLabels: labels }, template },
  });
  const spec = { type: "LoadBalancer", selector: labels, ports: [{ port: 80, targetPort: "http" }] };
  await client.create<Service>(serviceKind, { metadata: target, spec });
}

const readyAddresses = async ({ client }: TestCluster) => {
  const { items } = await client.list<EndpointSlice>(sliceKind, { namespace: "shop" });
  return items
    .flatMap(({ endpoints }) => (endpoints ?? []).filter(({ conditions }) => conditions?.ready))
    .map(({ addresses }) => addresses?.[0])
    .sort();
};

describe("all controllers together", () => {
  it("bring a service up, follow its pods, and take everything down with the namespace", async () => {
    await using cluster = await start();
    const { client } = cluster;
    await deploy(cluster);
    await cluster.pass(10);
    const addresses = await readyAddresses(cluster);
    expect(addresses).toHaveLength(3);
    const endpoints = await client.get<Endpoints>(endpointsKind, target);
    expect(endpoints.subsets?.[0]?.addresses?.map(({ ip }) => ip)).toEqual(addresses);
    expect(endpoints.subsets?.[0]?.ports).toMatchObject([{ port: 8080 }]);
    const service = await client.get<Service>(serviceKind, target);
    expect(service.status?.loadBalancer?.ingress).toEqual([{ ip: "172.18.255.1", ipMode: "VIP" }]);

    const [pod] = (await client.list<Pod>(podKind, { namespace: "shop" })).items;
    await client.delete(podKind, { namespace: "shop", name: pod?.metadata.name ?? "" });
    await cluster.clock.advance(0);
    expect(await readyAddresses(cluster)).toHaveLength(2);
    await cluster.pass(10);
    expect(await readyAddresses(cluster)).toHaveLength(3);

    await client.delete(namespaceKind, { name: "shop" });
    await cluster.pass(120);
    await expect(client.get(namespaceKind, { name: "shop" })).rejects.toMatchObject({ reason: "NotFound" });
    expect((await client.list<Pod>(podKind, { namespace: "shop" })).items).toEqual([]);
  });

  it("take sets and pods down with their Deployment", async () => {
    await using cluster = await start();
    await deploy(cluster);
    await cluster.pass(10);
    await cluster.client.delete(deploymentKind, target, { propagationPolicy: "Background" });
    await cluster.pass(60);
    expect((await cluster.client.list(replicaSetKind, { namespace: "shop" })).items).toEqual([]);
    expect((await cluster.client.list(podKind, { namespace: "shop" })).items).toEqual([]);
  });

  it("come to rest: nothing is written while nothing happens", async () => {
    await using cluster = await start();
    await deploy(cluster);
    await cluster.pass(60);
    let writes = 0;
    for (const kind of [
      deploymentKind,
      replicaSetKind,
      podKind,
      serviceKind,
      endpointsKind,
      sliceKind,
      namespaceKind,
    ]) {
      cluster.informers.of(kind as typeof podKind).addHandler({ onUpdate: () => writes++, onDelete: () => writes++ });
    }
    await cluster.pass(3600);
    expect(writes).toBe(0);
  });

  it("give the same history for the same seed, byte for byte", async () => {
    const story = async (seed: string): Promise<string> => {
      await using cluster = await start(seed);
      await deploy(cluster);
      await cluster.pass(10);
      await cluster.client.patch(deploymentKind, target, "merge", { spec: { replicas: 5 } });
      await cluster.pass(60);
      const lists = [deploymentKind, replicaSetKind, podKind, serviceKind, endpointsKind, sliceKind].map((kind) =>
        cluster.client.list(kind as typeof podKind),
      );
      return JSON.stringify(await Promise.all(lists));
    };
    const [first, second, other] = [await story("a"), await story("a"), await story("b")];
    expect(second).toBe(first);
    expect(other).not.toBe(first);
  });
});
