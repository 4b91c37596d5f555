import { describe, expect, it } from "vitest";
import type { Endpoints, Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import { endpoints as endpointsKind, service as serviceKind, endpointSlice as sliceKind } from "../api/index.ts";
import { startEndpointSliceMirroringController } from "./endpointSliceMirroring.ts";
import { startEndpointsController } from "./endpoints.ts";
import { startTestCluster, type TestCluster } from "./testing/testCluster.ts";

const target = { namespace: "default", name: "db" };
const start = () =>
  startTestCluster({ controllers: [startEndpointsController, startEndpointSliceMirroringController] });

/** A service without a selector, and its endpoints outside the cluster. */
async function makeByHand({ client }: TestCluster): Promise<void> {
  await client.create<Service>(serviceKind, { metadata: target, spec: { ports: [{ name: "sql", port: 5432 }] } });
  await client.create<Endpoints>(endpointsKind, {
    metadata: { ...target, labels: { team: "x" } },
    subsets: [
      {
        addresses: [{ ip: "192.0.2.1" }],
        notReadyAddresses: [{ ip: "192.0.2.2" }],
        ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
      },
    ],
  });
}
const slices = async ({ client }: TestCluster) =>
  (await client.list<EndpointSlice>(sliceKind)).items.filter(
    ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "db",
  );

describe("endpoints written by hand", () => {
  it("are mirrored, and followed", async () => {
    await using cluster = await start();
    await makeByHand(cluster);
    await cluster.pass(1);
    const [slice] = await slices(cluster);
    expect(slice).toMatchObject({
      addressType: "IPv4",
      metadata: {
        labels: { team: "x", "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io" },
      },
      endpoints: [
        { addresses: ["192.0.2.1"], conditions: { ready: true } },
        { addresses: ["192.0.2.2"], conditions: { ready: false } },
      ],
      ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
    });
    await cluster.client.patch(endpointsKind, target, "merge", { subsets: [{ addresses: [{ ip: "192.0.2.3" }] }] });
    await cluster.pass(1);
    expect((await slices(cluster)).map(({ endpoints }) => endpoints?.map(({ addresses }) => addresses?.[0]))).toEqual([
      ["192.0.2.3"],
    ]);
  });

  it("and their slices go with the service, and when it gets a selector", async () => {
    await using cluster = await start();
    await makeByHand(cluster);
    await cluster.pass(1);
    await cluster.client.patch(serviceKind, target, "merge", { spec: { selector: { app: "db" } } });
    await cluster.pass(1);
    expect(await slices(cluster)).toEqual([]);
    await cluster.client.delete(serviceKind, target);
    await cluster.pass(1);
    await expect(cluster.client.get(endpointsKind, target)).rejects.toMatchObject({ reason: "NotFound" });
  });
});
