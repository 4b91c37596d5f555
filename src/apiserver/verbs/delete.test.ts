import { describe, expect, it } from "vitest";
import { testServer } from "../testServer.ts";
import type { WriteHook } from "../write/hooks.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const PODS = "/api/v1/namespaces/default/pods";
const MERGE = { "content-type": "application/merge-patch+json" };
const options = (fields: object) => ({ apiVersion: "v1", kind: "DeleteOptions", ...fields });

async function withPod({ node = "n1", ...metadata }: { node?: string; finalizers?: string[] } = {}) {
  const server = testServer();
  const spec = { containers: [{ name: "c", image: "i" }], ...(node !== "" && { nodeName: node }) };
  const { body } = await server.send("POST", PODS, { metadata: { name: "p", ...metadata }, spec });
  const pod = async () => (await server.send("GET", `${PODS}/p`)).body;
  return { ...server, created: body, pod };
}

describe("graceful deletion", () => {
  it("marks a pod that runs, and removes it when its kubelet says so", async () => {
    const { send, pod } = await withPod();
    const { status, body } = await send("DELETE", `${PODS}/p`);
    expect(status).toBe(200);
    expect(body.metadata).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:30Z",
      deletionGracePeriodSeconds: 30,
    });
    expect((await pod()).metadata.deletionGracePeriodSeconds).toBe(30);
    await send("DELETE", `${PODS}/p`, options({ gracePeriodSeconds: 0 }));
    expect((await pod()).code).toBe(404);
  });

  it("removes a pod at once that no node has", async () => {
    const { send, pod } = await withPod({ node: "" });
    const { body } = await send("DELETE", `${PODS}/p`);
    expect(body.kind).toBe("Pod");
    expect((await pod()).code).toBe(404);
  });

  it("only ever shortens the time that is left", async () => {
    const { send, pod } = await withPod();
    await send("DELETE", `${PODS}/p`, options({ gracePeriodSeconds: 60 }));
    await send("DELETE", `${PODS}/p`, options({ gracePeriodSeconds: 90 }));
    expect((await pod()).metadata.deletionGracePeriodSeconds).toBe(60);
    await send("DELETE", `${PODS}/p`, options({ gracePeriodSeconds: 10 }));
    expect((await pod()).metadata).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:10Z",
      deletionGracePeriodSeconds: 10,
    });
  });

  it("keeps a pod with a finalizer when its grace is over, until the finalizer is gone", async () => {
    const { send, pod } = await withPod({ finalizers: ["example.com/hold"] });
    await send("DELETE", `${PODS}/p`, options({ gracePeriodSeconds: 0 }));
    expect((await pod()).metadata).toMatchObject({ deletionGracePeriodSeconds: 0 });
    await send("PATCH", `${PODS}/p`, { metadata: { finalizers: null } }, MERGE);
    expect((await pod()).code).toBe(404);
  });

  it("takes the options from the query as well", async () => {
    const { send, pod } = await withPod();
    await send("DELETE", `${PODS}/p?gracePeriodSeconds=5`);
    expect((await pod()).metadata.deletionGracePeriodSeconds).toBe(5);
  });
});

describe("deletion", () => {
  async function withMap(metadata: object = {}) {
    const server = testServer();
    const { body } = await server.send("POST", MAPS, { metadata: { name: "one", ...metadata } });
    const map = async () => (await server.send("GET", `${MAPS}/one`)).body;
    return { ...server, created: body, map };
  }

  it.each([
    ["Orphan", ["orphan"]],
    ["Foreground", ["foregroundDeletion"]],
  ])("with policy %s leaves the object to the garbage collector", async (propagationPolicy, finalizers) => {
    const { send, map } = await withMap();
    const { body } = await send("DELETE", `${MAPS}/one`, options({ propagationPolicy }));
    expect(body.metadata).toMatchObject({ finalizers, deletionTimestamp: "2026-01-01T00:00:00Z" });
    await send("PATCH", `${MAPS}/one`, { metadata: { finalizers: [] } }, MERGE);
    expect((await map()).code).toBe(404);
  });

  it("takes no new finalizers once it has begun", async () => {
    const { send } = await withMap({ finalizers: ["a.b/c"] });
    await send("DELETE", `${MAPS}/one`);
    const { status, body } = await send(
      "PATCH",
      `${MAPS}/one`,
      { metadata: { finalizers: ["a.b/c", "d.e/f"] } },
      MERGE,
    );
    expect(status).toBe(422);
    expect(body.message).toContain(
      "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted",
    );
  });

  it("changes nothing in a dry run", async () => {
    const { send, map } = await withMap();
    expect((await send("DELETE", `${MAPS}/one`, options({ dryRun: ["All"] }))).status).toBe(200);
    expect((await map()).kind).toBe("ConfigMap");
  });

  const refusals: [name: string, fields: object, status: number, message: string][] = [
    [
      "options of another type",
      { gracePeriodSeconds: "x" },
      400,
      "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
    ],
    ["another kind", { kind: "Pod" }, 400, "decoded object cannot be converted to DeleteOptions"],
    [
      "another uid",
      { preconditions: { uid: "x" } },
      409,
      'Operation cannot be fulfilled on ConfigMap "one": the UID in the precondition (x) does not match the UID in record (',
    ],
    [
      "another version",
      { preconditions: { resourceVersion: "9" } },
      409,
      'Operation cannot be fulfilled on ConfigMap "one": the ResourceVersion in the precondition (9) does not match the ResourceVersion in record (2). The object might have been modified',
    ],
    [
      "an unknown policy",
      { propagationPolicy: "Never" },
      422,
      'propagationPolicy: Unsupported value: "Never": supported values: "Background", "Foreground", "Orphan", "nil"',
    ],
    [
      "two policies",
      { propagationPolicy: "Orphan", orphanDependents: true },
      422,
      "orphanDependents and deletionPropagation cannot be both set",
    ],
  ];
  it.each(refusals)("refuses %s", async (_, fields, status, message) => {
    const { send } = await withMap();
    const answer = await send("DELETE", `${MAPS}/one`, options(fields));
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });

  it("of a collection takes what the selector takes, and gives it back", async () => {
    const server = testServer();
    for (const [name, color] of [
      ["a", "red"],
      ["b", "blue"],
      ["c", "red"],
    ]) {
      await server.send("POST", MAPS, { metadata: { name, labels: { color } } });
    }
    const { body } = await server.send("DELETE", `${MAPS}?labelSelector=color%3Dred`);
    expect(body.items.length).toBe(2);
    const left = await server.send("GET", MAPS);
    expect(left.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(["b"]);
  });

  it("tells hooks of what is gone, also when the last finalizer went", async () => {
    const gone: string[] = [];
    const hook: WriteHook = {
      group: "",
      plural: "configmaps",
      afterDelete: ({ metadata }) => gone.push(metadata.name),
    };
    const { send } = testServer({ hooks: () => [hook] });
    for (const finalizers of [[], ["a.b/c"]]) {
      await send("POST", MAPS, { metadata: { name: `with${finalizers.length}`, finalizers } });
      await send("DELETE", `${MAPS}/with${finalizers.length}`);
    }
    expect(gone).toEqual(["with0"]);
    await send("PATCH", `${MAPS}/with1`, { metadata: { finalizers: [] } }, MERGE);
    expect(gone).toEqual(["with0", "with1"]);
  });

  it("of a namespace waits for its content", async () => {
    const { send } = testServer();
    await send("POST", "/api/v1/namespaces", { metadata: { name: "x" } });
    const deleted = await send("DELETE", "/api/v1/namespaces/x");
    expect(deleted.body).toMatchObject({ kind: "Namespace", status: { phase: "Terminating" } });
    const finalized = { ...deleted.body, spec: { finalizers: [] } };
    expect((await send("PUT", "/api/v1/namespaces/x/finalize", finalized)).status).toBe(200);
    expect((await send("GET", "/api/v1/namespaces/x")).status).toBe(404);
  });
});
