import { describe, expect, it } from "vitest";
import type { ReplicaSet } from "../api/generated/apps-v1.ts";
import type { Pod } from "../api/generated/core-v1.ts";
import { pod as podKind, replicaSet as replicaSetKind } from "../api/index.ts";
import { ownerReferenceFor } from "../machinery/ownerReferences.ts";
import { ownersOf } from "./ownership.ts";
import { startTestCluster } from "./testing/testCluster.ts";

const namespace = "default";
const set = (name: string, app: string) => ({
  metadata: { name, namespace },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app } },
    template: { metadata: { labels: { app } }, spec: { containers: [{ name: "c", image: "i" }] } },
  },
});

describe("the owners of a pod", () => {
  it("are its controller alone, or without one all that select it", async () => {
    await using cluster = await startTestCluster({ controllers: [] });
    const { client, informers } = cluster;
    await client.create(replicaSetKind, set("a", "web"));
    await client.create(replicaSetKind, set("b", "web"));
    await client.create(replicaSetKind, set("c", "other"));
    const sets = informers.of<ReplicaSet>(replicaSetKind);
    await cluster.pass(1);
    const names = async (labels: Record<string, string>, owner?: { readonly uid?: string; readonly kind?: string }) => {
      const reference = { ...ownerReferenceFor(sets.find(namespace, "b") as ReplicaSet, replicaSetKind), ...owner };
      const ownerReferences = owner === undefined ? [] : [reference];
      const spec = { containers: [{ name: "c", image: "i" }] };
      const draft = { metadata: { generateName: "p-", namespace, labels, ownerReferences }, spec };
      return ownersOf(sets, await client.create<Pod>(podKind, draft)).map(({ metadata }) => metadata.name);
    };
    expect(await names({ app: "web" })).toEqual(["a", "b"]);
    expect(await names({ app: "web" }, {})).toEqual(["b"]);
    expect(await names({ app: "web" }, { uid: "of-a-former-b" })).toEqual([]);
    expect(await names({ app: "web" }, { kind: "DaemonSet" })).toEqual([]);
  });
});
