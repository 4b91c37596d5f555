import { describe, expect, it } from "vitest";
import type { ConfigMap, Event, Namespace } from "../api/generated/core-v1.ts";
import { configMap as configMapKind, event as eventKind, namespace as namespaceKind } from "../api/index.ts";
import { ownerReferenceFor } from "../machinery/ownerReferences.ts";
import { startGarbageCollector } from "./garbageCollector.ts";
import { startSystemNamespacesController } from "./systemNamespaces.ts";
import { startTestCluster, type TestCluster } from "./testing/testCluster.ts";

const start = () => startTestCluster({ controllers: [startSystemNamespacesController, startGarbageCollector] });

/** A config map, owned by others, of which it blocks the deletion. */
const make = ({ client }: TestCluster, name: string, owners: readonly ConfigMap[] = [], namespace = "default") =>
  client.create<ConfigMap>(configMapKind, {
    metadata: {
      name,
      namespace,
      ownerReferences: owners.map((owner) => ({ ...ownerReferenceFor(owner, configMapKind), controller: false })),
    },
  });
const remove = ({ client }: TestCluster, name: string, propagationPolicy: "Foreground" | "Background" | "Orphan") =>
  client.delete(configMapKind, { namespace: "default", name }, { propagationPolicy });
const names = async ({ client }: TestCluster) =>
  (await client.list<ConfigMap>(configMapKind)).items.map(({ metadata }) => metadata.name).join(" ");

describe("the garbage collector", () => {
  it("deletes what depends on a deleted object, all the way down", async () => {
    await using cluster = await start();
    const a = await make(cluster, "a");
    const b = await make(cluster, "b", [a]);
    await make(cluster, "c", [b]);
    await make(cluster, "other");
    await remove(cluster, "a", "Background");
    await cluster.pass(1);
    expect(await names(cluster)).toBe("other");
  });

  it("keeps what has another owner, which forgets the one that went", async () => {
    await using cluster = await start();
    const [a, b] = [await make(cluster, "a"), await make(cluster, "b")];
    await make(cluster, "c", [a, b]);
    await remove(cluster, "a", "Background");
    await cluster.pass(1);
    const c = await cluster.client.get<ConfigMap>(configMapKind, { namespace: "default", name: "c" });
    expect(c.metadata.ownerReferences?.map(({ name }) => name)).toEqual(["b"]);
  });

  it("deletes dependents before their owner in the foreground", async () => {
    await using cluster = await start();
    const order: string[] = [];
    cluster.informers
      .of<ConfigMap>(configMapKind)
      .addHandler({ onDelete: ({ metadata }) => order.push(metadata.name) });
    const a = await make(cluster, "a");
    const b = await make(cluster, "b", [a]);
    await make(cluster, "c", [b]);
    await remove(cluster, "a", "Foreground");
    await cluster.pass(1);
    expect(order).toEqual(["c", "b", "a"]);
  });

  it("frees dependents of an object that is orphaning", async () => {
    await using cluster = await start();
    const a = await make(cluster, "a");
    await make(cluster, "b", [a]);
    await remove(cluster, "a", "Orphan");
    await cluster.pass(1);
    const b = await cluster.client.get<ConfigMap>(configMapKind, { namespace: "default", name: "b" });
    expect([await names(cluster), b.metadata.ownerReferences]).toEqual(["b", undefined]);
  });

  it("deletes what names an owner that never was, or is in another namespace", async () => {
    await using cluster = await start();
    const elsewhere = await make(cluster, "elsewhere", [], "kube-system");
    const gone = { ...elsewhere, metadata: { ...elsewhere.metadata, uid: "none", name: "none" } };
    await make(cluster, "a", [gone]);
    await make(cluster, "b", [elsewhere]);
    await cluster.pass(1);
    expect(await names(cluster)).toBe("elsewhere");
  });

  it("keeps what is in no namespace but names an owner that is in one, and says why", async () => {
    await using cluster = await start();
    const { client } = cluster;
    const owner = await make(cluster, "owner");
    const ownerReferences = [ownerReferenceFor(owner, configMapKind)];
    await client.create<Namespace>(namespaceKind, { metadata: { name: "owned", ownerReferences } });
    await cluster.pass(1);
    await client.get<Namespace>(namespaceKind, { name: "owned" });
    const said = (await client.list<Event>(eventKind)).items.filter(({ type }) => type === "Warning");
    expect(said.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      `OwnerRefInvalidNamespace: ownerRef [v1/ConfigMap, namespace: , name: owner, uid: ${owner.metadata.uid}] does not exist in namespace ""`,
    ]);
  });
});
