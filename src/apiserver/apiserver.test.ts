import { describe, expect, it } from "vitest";
import { testServer } from "./testServer.ts";

const configMap = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...(labels && { labels }) },
  data,
});
const MAPS = "/api/v1/namespaces/default/configmaps";

describe("the first slice", () => {
  it("gives back what was created, with what the server fills in", async () => {
    const { send } = testServer();
    const created = await send("POST", MAPS, configMap("one", { a: "1" }));
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ kind: "ConfigMap", apiVersion: "v1", data: { a: "1" } });
    expect(created.body.metadata).toMatchObject({
      name: "one",
      namespace: "default",
      creationTimestamp: "2026-01-01T00:00:00Z",
    });
    const got = await send("GET", `${MAPS}/one`);
    expect(got.body).toEqual(created.body);
    expect(Number(got.body.metadata.resourceVersion)).toBeGreaterThan(0);
  });

  it("lists in key order, with the bytes of each object", async () => {
    const { send } = testServer();
    for (const name of ["b", "a", "c"]) await send("POST", MAPS, configMap(name));
    const { body } = await send("GET", MAPS);
    expect(body.kind).toBe("ConfigMapList");
    expect(body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(["a", "b", "c"]);
    expect(body.items.every((item: { metadata: { resourceVersion?: string } }) => item.metadata.resourceVersion)).toBe(
      true,
    );
  });

  it("refuses an update of an older version", async () => {
    const { send } = testServer();
    const { body } = await send("POST", MAPS, configMap("one", { a: "1" }));
    const next = await send("PUT", `${MAPS}/one`, { ...body, data: { a: "2" } });
    expect(next.status).toBe(200);
    const late = await send("PUT", `${MAPS}/one`, { ...body, data: { a: "3" } });
    expect(late.status).toBe(409);
    expect(late.body.message).toBe(
      'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  it("shows a watcher what happens, selectors turning changes into additions and deletions", async () => {
    const { send } = testServer();
    const { watch } = await send("GET", `${MAPS}?watch=1&labelSelector=color%3Dred`);
    await send("POST", MAPS, configMap("one", {}, { color: "red" }));
    await send("POST", MAPS, configMap("two", {}, { color: "blue" }));
    const merge = { "content-type": "application/merge-patch+json" };
    await send("PATCH", `${MAPS}/two`, { metadata: { labels: { color: "red" } } }, merge);
    await send("PATCH", `${MAPS}/one`, { metadata: { labels: { color: "blue" } } }, merge);
    await send("DELETE", `${MAPS}/two`);
    const seen: string[] = [];
    while (seen.length < 4) {
      for (const frame of (await watch?.next()) ?? []) {
        const { type, object } = JSON.parse(Buffer.from(frame.bytes()).toString());
        seen.push(`${type} ${object.metadata.name}`);
      }
    }
    expect(seen).toEqual(["ADDED one", "ADDED two", "DELETED one", "DELETED two"]);
  });

  it("answers a deletion with a Status, and then does not find the object", async () => {
    const { send } = testServer();
    await send("POST", MAPS, configMap("one"));
    const { status, body } = await send("DELETE", `${MAPS}/one`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ kind: "Status", status: "Success", details: { name: "one", kind: "configmaps" } });
    const gone = await send("GET", `${MAPS}/one`);
    expect(gone).toMatchObject({ status: 404, body: { message: 'configmaps "one" not found' } });
  });
});
