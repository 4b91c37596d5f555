import { describe, expect, it } from "vitest";
import type { WatchStream } from "../../machinery/requests.ts";
import { testServer } from "../testServer.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const MERGE = { "content-type": "application/merge-patch+json" };
type Server = ReturnType<typeof testServer>;

const create = (server: Server, name: string) => server.send("POST", MAPS, { metadata: { name } });
const open = async (server: Server, query: string, headers = {}) =>
  (await server.send("GET", `${MAPS}?watch=true&${query}`, undefined, headers)).watch as WatchStream;

/** The next `count` events as "TYPE name@revision", or whatever came when the watch ended. */
async function events(watch: WatchStream, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const frames = await watch.next();
    if (frames === undefined) return [...seen, "END"];
    for (const frame of frames) {
      const { type, object } = JSON.parse(Buffer.from(frame.bytes()).toString());
      const { name = "", resourceVersion = "" } = object.metadata ?? {};
      seen.push(`${type} ${object.message ?? `${name}@${resourceVersion}`}`);
    }
  }
  return seen;
}

describe("watch", () => {
  it("begins with what is there, and goes on with what happens", async () => {
    const server = testServer();
    await create(server, "a");
    const watch = await open(server, "");
    await create(server, "b");
    await server.send("DELETE", `${MAPS}/a`);
    expect(await events(watch, 3)).toEqual(["ADDED a@2", "ADDED b@3", "DELETED a@4"]);
  });

  it("goes on after a revision without gap or repetition", async () => {
    const server = testServer();
    for (const name of ["a", "b", "c"]) await create(server, name);
    const watch = await open(server, "resourceVersion=2");
    await create(server, "d");
    expect(await events(watch, 3)).toEqual(["ADDED b@3", "ADDED c@4", "ADDED d@5"]);
  });

  it("says 410 in the stream when it cannot go on", async () => {
    const server = testServer();
    for (let index = 0; index < 120; index += 1) await create(server, `a${index}`);
    await server.clock.advance(80_000);
    await create(server, "late");
    const watch = await open(server, "resourceVersion=2");
    expect(await events(watch, 2)).toEqual(["ERROR too old resource version: 2 (22)", "END"]);
  });

  it("sends the initial events and a bookmark that ends them", async () => {
    const server = testServer();
    await create(server, "a");
    const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const frames = await (await open(server, query)).next();
    expect(frames?.map(({ type, object }) => [type, (object as { metadata: object }).metadata])).toMatchObject([
      ["ADDED", { name: "a" }],
      ["BOOKMARK", { resourceVersion: "2", annotations: { "k8s.io/initial-events-end": "true" } }],
    ]);
  });

  it("sends a bookmark every minute to those who want them", async () => {
    const server = testServer();
    await create(server, "a");
    const watch = await open(server, "resourceVersion=2&allowWatchBookmarks=true");
    await server.send("POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "elsewhere" } });
    await server.clock.advance(60_000);
    expect(await events(watch, 1)).toEqual(["BOOKMARK @3"]);
  });

  it("sends a last bookmark two seconds before its end", async () => {
    const server = testServer();
    await create(server, "a");
    const watch = await open(server, "resourceVersion=2&allowWatchBookmarks=true&timeoutSeconds=5");
    await server.clock.advance(5_000);
    expect(await events(watch, 2)).toEqual(["BOOKMARK @2", "END"]);
  });

  const INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const metadata = { resourceVersion: "1", annotations: { "k8s.io/initial-events-end": "true" } };
  const forms: [form: string, path: string, want: object][] = [
    ["PartialObjectMetadata", MAPS, { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata }],
    ["Table", MAPS, { columnDefinitions: [{ name: "Name" }, {}, {}], rows: [{ object: { metadata } }] }],
    ["Table", "/api/v1/pods", { kind: "Table", rows: [{ object: { kind: "PartialObjectMetadata", metadata } }] }],
    ["Table", "/api/v1/events", { metadata: { resourceVersion: "1" } }],
  ];
  it.each(forms)("sends bookmarks in the form of the objects: %s of %s", async (form, path, want) => {
    const server = testServer();
    const accept = `application/json;as=${form};v=v1;g=meta.k8s.io`;
    const { watch } = await server.send("GET", `${path}?watch=1&${INITIAL}`, undefined, { accept });
    const frames = (await watch?.next()) ?? [];
    expect(frames.map(({ type }) => type)).toEqual(["BOOKMARK"]);
    expect(frames[0]?.object).toMatchObject(want);
  });

  it("ends when its time is over", async () => {
    const server = testServer();
    const watch = await open(server, "timeoutSeconds=5");
    const seen = events(watch, 1);
    await server.clock.advance(5_000);
    expect(await seen).toEqual(["END"]);
  });

  it("ends when the server closes", async () => {
    const server = testServer();
    const watch = await open(server, "");
    const seen = events(watch, 1);
    await server.close();
    expect(await seen).toEqual(["END"]);
  });

  it("shows an object that leaves a field selector as deleted, at the revision of the change", async () => {
    const server = testServer();
    const PODS = "/api/v1/namespaces/default/pods";
    const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } };
    await server.send("POST", PODS, pod);
    const watch = (await server.send("GET", `${PODS}?watch=1&fieldSelector=spec.nodeName%3Dn1`)).watch as WatchStream;
    const binding = { metadata: { name: "p" }, target: { kind: "Node", name: "n1" } };
    await server.send("POST", `${PODS}/p/binding`, binding);
    await server.send("DELETE", `${PODS}/p?gracePeriodSeconds=0`);
    expect(await events(watch, 2)).toEqual(["ADDED p@3", "DELETED p@4"]);
  });

  it("shares one frame among all watchers of the same form", async () => {
    const server = testServer();
    const [one, two] = [await open(server, ""), await open(server, "")];
    await create(server, "a");
    expect((await one.next())?.[0]).toBe((await two.next())?.[0]);
  });

  it("prints rows, naming the columns once", async () => {
    const server = testServer();
    const watch = await open(server, "", { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
    await create(server, "a");
    await create(server, "b");
    const tables = [];
    while (tables.length < 2) tables.push(...((await watch.next()) ?? []));
    expect(tables.map(({ object }) => object)).toMatchObject([
      {
        kind: "Table",
        columnDefinitions: [{ name: "Name" }, { name: "Data" }, { name: "Age" }],
        rows: [{ cells: ["a", 0, "0s"] }],
      },
      { kind: "Table", columnDefinitions: null, rows: [{ cells: ["b", 0, "0s"] }] },
    ]);
  });

  it.each([
    [
      "sendInitialEvents=true",
      "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ],
    [
      "resourceVersionMatch=NotOlderThan",
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    ],
  ])("refuses %s by itself", async (query, message) => {
    const { status, body } = await testServer().send("GET", `${MAPS}?watch=1&${query}`);
    expect(status).toBe(422);
    expect(body.message).toContain(message);
  });

  it("passes a change of labels on as a change", async () => {
    const server = testServer();
    await create(server, "a");
    const watch = await open(server, "resourceVersion=2&labelSelector=!gone");
    await server.send("PATCH", `${MAPS}/a`, { metadata: { labels: { x: "y" } } }, MERGE);
    await server.send("PATCH", `${MAPS}/a`, { metadata: { labels: { gone: "1" } } }, MERGE);
    expect(await events(watch, 2)).toEqual(["MODIFIED a@3", "DELETED a@4"]);
  });
});
