import { describe, expect, it } from "vitest";
import { testServer } from "../testServer.ts";

const PODS = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const APPLY = { "content-type": "application/apply-patch+yaml" };
const MERGE = { "content-type": "application/merge-patch+json" };

async function withDeployment() {
  const server = testServer();
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { replicas: 2, selector: { matchLabels: { a: "b" } }, template };
  await server.send("POST", DEPLOYMENTS, { metadata: { name: "d" }, spec });
  return server;
}

describe("scale", () => {
  it("is a form of what has replicas", async () => {
    const { send } = await withDeployment();
    const { body } = await send("GET", `${DEPLOYMENTS}/d/scale`);
    expect(body).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "d", namespace: "default" },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: "a=b" },
    });
  });

  it("is printed as upstream prints it", async () => {
    const { send } = await withDeployment();
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const { body } = await send("GET", `${DEPLOYMENTS}/d/scale`, undefined, { accept });
    expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      "Name",
      "Desired",
      "Available",
      "Age",
    ]);
    expect(body.rows[0].cells).toEqual(["d", 2, 0, "0s"]);
  });

  it("is written and patched", async () => {
    const { send } = await withDeployment();
    const { body } = await send("GET", `${DEPLOYMENTS}/d/scale`);
    const put = await send("PUT", `${DEPLOYMENTS}/d/scale`, { ...body, spec: { replicas: 5 } });
    expect(put.body.spec.replicas).toBe(5);
    expect((await send("PATCH", `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 6 } }, MERGE)).body.spec.replicas).toBe(
      6,
    );
    const deployment = await send("GET", `${DEPLOYMENTS}/d`);
    expect(deployment.body).toMatchObject({ spec: { replicas: 6 }, metadata: { generation: 3 } });
  });

  it("is remarked on as its owner is", async () => {
    const { send } = await withDeployment();
    const nodeSelector = { "beta.kubernetes.io/os": "linux" };
    const patch = { spec: { template: { spec: { nodeSelector } } } };
    await send("PATCH", `${DEPLOYMENTS}/d`, patch, { "content-type": "application/merge-patch+json" });
    const { headers } = await send("PUT", `${DEPLOYMENTS}/d/scale`, { metadata: { name: "d" }, spec: { replicas: 5 } });
    expect(headers.warning).toContain('use \\"kubernetes.io/os\\" instead');
  });

  it("is never below zero, and never of an old version", async () => {
    const { send } = await withDeployment();
    const { body } = await send("PATCH", `${DEPLOYMENTS}/d/scale`, { spec: { replicas: -1 } }, MERGE);
    expect(body.message).toBe(
      'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    const metadata = { name: "d", resourceVersion: "77" };
    expect((await send("PUT", `${DEPLOYMENTS}/d/scale`, { metadata, spec: { replicas: 1 } })).status).toBe(409);
  });

  const scale = (metadata: object, replicas: number) => ({
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { namespace: "default", ...metadata },
    spec: { replicas },
  });

  it("is of the object that the URL names", async () => {
    const { send } = await withDeployment();
    const { status, body } = await send("PUT", `${DEPLOYMENTS}/d/scale`, scale({ name: "e" }, 1));
    expect(status).toBe(400);
    expect(body.message).toBe("the name of the object (e) does not match the name on the URL (d)");
  });

  it("is applied, and owned by who applied it", async () => {
    const { send } = await withDeployment();
    const apply = (manager: string, replicas: number, query = "") =>
      send("PATCH", `${DEPLOYMENTS}/d/scale?fieldManager=${manager}${query}`, scale({ name: "d" }, replicas), APPLY);
    const refused = await apply("me", 4);
    expect(refused.status).toBe(409);
    expect(refused.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "test" using apps/v1: .spec.replicas',
    );
    expect((await apply("me", 4, "&force=true")).body).toMatchObject({ kind: "Scale", spec: { replicas: 4 } });
    expect((await apply("you", 5)).status).toBe(409);
    const { body } = await send("GET", `${DEPLOYMENTS}/d`);
    expect(body.metadata.managedFields).toContainEqual(
      expect.objectContaining({
        manager: "me",
        operation: "Apply",
        subresource: "scale",
        fieldsV1: { "f:spec": { "f:replicas": {} } },
      }),
    );
  });

  it("is not of what has none", async () => {
    const { send } = testServer();
    expect((await send("GET", "/api/v1/namespaces/default/pods/x/scale")).status).toBe(404);
  });
});

describe("binding", () => {
  async function withPod(spec: object = {}) {
    const server = testServer();
    const containers = [{ name: "c", image: "i" }];
    await server.send("POST", PODS, { metadata: { name: "p" }, spec: { containers, ...spec } });
    return server;
  }
  const binding = (node: string, metadata: object = {}) => ({
    metadata: { name: "p", ...metadata },
    target: { apiVersion: "v1", kind: "Node", name: node },
  });

  it.each([`${PODS}/p/binding`, "/api/v1/namespaces/default/bindings"])(
    "to %s gives the pod its node",
    async (path) => {
      const { send } = await withPod();
      const { status, body } = await send("POST", path, binding("n1", { annotations: { a: "b" }, labels: { c: "d" } }));
      expect(status).toBe(201);
      expect(body).toMatchObject({ kind: "Status", status: "Success" });
      expect((await send("GET", `${PODS}/p`)).body).toMatchObject({
        metadata: { annotations: { a: "b" }, labels: { c: "d" } },
        spec: { nodeName: "n1" },
        status: { conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }] },
      });
    },
  );

  it("is for once", async () => {
    const { send } = await withPod();
    await send("POST", `${PODS}/p/binding`, binding("n1"));
    const { status, body } = await send("POST", `${PODS}/p/binding`, binding("n2"));
    expect(status).toBe(409);
    expect(body.message).toBe(
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
    );
  });

  const refusals: [name: string, spec: object, body: object, status: number, message: string][] = [
    ["another pod", {}, binding("n1", { uid: "x" }), 409, "Precondition failed: UID in precondition: x"],
    [
      "another version of it",
      {},
      binding("n1", { resourceVersion: "1" }),
      409,
      "Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: 2",
    ],
    ["no node", {}, binding(""), 422, "target.name: Required value"],
    [
      "a gated pod",
      { schedulingGates: [{ name: "g" }] },
      binding("n1"),
      409,
      "pod p has non-empty .spec.schedulingGates",
    ],
    ["another name", {}, binding("n1", { name: "q" }), 400, "name in URL does not match name in Binding object"],
  ];
  it.each(refusals)("refuses %s", async (_, spec, body, status, message) => {
    const { send } = await withPod(spec);
    const answer = await send("POST", `${PODS}/p/binding`, body);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });
});

describe("eviction", () => {
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p" } };
  const pod = { metadata: { name: "p" }, spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }] } };

  it("deletes the pod gracefully", async () => {
    const { send } = testServer();
    await send("POST", PODS, pod);
    expect((await send("POST", `${PODS}/p/eviction`, eviction)).status).toBe(201);
    expect((await send("GET", `${PODS}/p`)).body.metadata.deletionGracePeriodSeconds).toBe(30);
  });

  it("asks whoever guards disruptions", async () => {
    const { send } = testServer({
      mayEvict: () => {
        throw new Error("no");
      },
    });
    await send("POST", PODS, pod);
    expect((await send("POST", `${PODS}/p/eviction`, eviction)).status).toBe(500);
    expect((await send("GET", `${PODS}/p`)).body.metadata.deletionTimestamp).toBeUndefined();
  });
});
