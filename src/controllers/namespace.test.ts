import { describe, expect, it } from "vitest";
import type { ConfigMap, Endpoints, Namespace, Pod, Service, ServiceAccount } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import {
  configMap as configMapKind,
  endpoints as endpointsKind,
  namespace as namespaceKind,
  pod as podKind,
  serviceAccount as serviceAccountKind,
  service as serviceKind,
  endpointSlice as sliceKind,
} from "../api/index.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { startKubernetesServiceController } from "./kubernetesService.ts";
import { startNamespaceController } from "./namespace.ts";
import { startRootCaController } from "./rootCa.ts";
import { startServiceAccountController } from "./serviceAccount.ts";
import { startSystemNamespacesController } from "./systemNamespaces.ts";
import { healthyPods, startTestCluster } from "./testing/testCluster.ts";

const apiServer = { address: "172.18.0.2", port: 6443, serviceAddress: "10.96.0.1" };
const start = () =>
  startTestCluster({
    controllers: [
      startSystemNamespacesController,
      startNamespaceController,
      startServiceAccountController,
      (context: ControllerContext) => startRootCaController({ ...context, rootCa: "PEM" }),
      (context: ControllerContext) => startKubernetesServiceController({ ...context, apiServer }),
    ],
    pods: healthyPods,
  });

describe("a cluster", () => {
  it("has its namespaces, each with an account and the root certificate", async () => {
    await using cluster = await start();
    const { client } = cluster;
    const namespaces = (await client.list<Namespace>(namespaceKind)).items.map(({ metadata }) => metadata.name);
    expect(namespaces).toEqual(["default", "kube-node-lease", "kube-public", "kube-system"]);
    expect((await client.list<ServiceAccount>(serviceAccountKind)).items).toHaveLength(4);
    const maps = (await client.list<ConfigMap>(configMapKind)).items;
    expect(maps.map(({ metadata, data }) => [metadata.name, data])).toEqual(
      Array(4).fill(["kube-root-ca.crt", { "ca.crt": "PEM" }]),
    );
  });

  it("mends the root certificate, and the default account when it is deleted", async () => {
    await using cluster = await start();
    const { client } = cluster;
    await client.patch(configMapKind, { namespace: "default", name: "kube-root-ca.crt" }, "merge", {
      data: { x: "y" },
    });
    await client.delete(serviceAccountKind, { namespace: "default", name: "default" });
    await cluster.pass(1);
    const map = await client.get<ConfigMap>(configMapKind, { namespace: "default", name: "kube-root-ca.crt" });
    expect(map.data).toEqual({ "ca.crt": "PEM" });
    await client.get<ServiceAccount>(serviceAccountKind, { namespace: "default", name: "default" });
  });

  it("is reached by the Service kubernetes", async () => {
    await using cluster = await start();
    const { client } = cluster;
    await cluster.pass(1);
    const target = { namespace: "default", name: "kubernetes" };
    expect((await client.get<Service>(serviceKind, target)).spec.clusterIP).toBe("10.96.0.1");
    const endpoints = await client.get<Endpoints>(endpointsKind, target);
    expect(endpoints.subsets).toEqual([
      { addresses: [{ ip: "172.18.0.2" }], ports: [{ name: "https", port: 6443, protocol: "TCP" }] },
    ]);
    await client.patch(endpointsKind, target, "merge", { subsets: [] });
    await cluster.pass(1);
    expect((await client.get<Endpoints>(endpointsKind, target)).subsets).toEqual(endpoints.subsets);
    const slice = await client.get<EndpointSlice>(sliceKind, target);
    expect(slice.endpoints?.[0]).toMatchObject({ addresses: ["172.18.0.2"], conditions: { ready: true } });
  });
});

describe("a deleted namespace", () => {
  it("goes when its pods have gone, and then everything else in it", async () => {
    await using cluster = await start();
    const { client } = cluster;
    await client.create(namespaceKind, { metadata: { name: "x" } });
    await client.create<ConfigMap>(configMapKind, { metadata: { name: "m", namespace: "x" } });
    const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }], terminationGracePeriodSeconds: 30 };
    await client.create<Pod>(podKind, { metadata: { name: "p", namespace: "x" }, spec });
    await cluster.pass(5);
    await client.delete(namespaceKind, { name: "x" });
    await cluster.pass(0.5);
    const going = await client.get<Namespace>(namespaceKind, { name: "x" });
    expect(going.status?.phase).toBe("Terminating");
    expect(going.status?.conditions?.find(({ type }) => type === "NamespaceContentRemaining")).toMatchObject({
      status: "True",
      reason: "SomeResourcesRemain",
      message: "Some resources are remaining: pods. has 1 resource instances",
    });
    await client.get<ConfigMap>(configMapKind, { namespace: "x", name: "m" });
    // The pod is gone after a second; nobody waits for half of its grace period.
    await cluster.pass(2);
    await expect(client.get(namespaceKind, { name: "x" })).rejects.toMatchObject({ reason: "NotFound" });
    expect((await client.list<ConfigMap>(configMapKind, { namespace: "x" })).items).toEqual([]);
  });

  it("waits for finalizers, and says which", async () => {
    await using cluster = await start();
    const { client } = cluster;
    await client.create(namespaceKind, { metadata: { name: "x" } });
    await client.create<ConfigMap>(configMapKind, {
      metadata: { name: "m", namespace: "x", finalizers: ["a.example/f"] },
    });
    await client.delete(namespaceKind, { name: "x" });
    await cluster.pass(60);
    const waiting = await client.get<Namespace>(namespaceKind, { name: "x" });
    expect(waiting.status?.conditions?.find(({ type }) => type === "NamespaceFinalizersRemaining")?.message).toBe(
      "Some content in the namespace has finalizers remaining: a.example/f in 1 resource instances",
    );
    await client.patch(configMapKind, { namespace: "x", name: "m" }, "merge", { metadata: { finalizers: null } });
    await cluster.pass(1);
    await expect(client.get(namespaceKind, { name: "x" })).rejects.toMatchObject({ reason: "NotFound" });
  });
});
