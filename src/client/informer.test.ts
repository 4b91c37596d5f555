import { describe, expect, it } from "vitest";
import type { ConfigMap } from "../api/generated/core-v1.ts";
import { configMap as configMapKind } from "../api/index.ts";
import { admin, testServer } from "../apiserver/testServer.ts";
import { ApiError } from "../machinery/errors.ts";
import { createClient } from "./client.ts";
import { Informer } from "./informer.ts";
import { objectKey } from "./objectKey.ts";
import type { Transport } from "./transport.ts";
import { directTransport } from "./transports/direct.ts";

/** The real server behind a line that can be cut. */
function start() {
  const server = testServer();
  const direct = directTransport(server.handle, admin);
  const line = {
    requests: [] as string[],
    lists: 0,
    failure: undefined as Error | undefined,
    cut: new AbortController(),
  };
  const transport: Transport = {
    ...direct,
    request: async (request) => {
      if (request.method === "GET") {
        line.lists++;
        if (line.failure !== undefined) throw line.failure;
      }
      return direct.request(request);
    },
    watch: async (request) => {
      if (line.failure !== undefined) throw line.failure;
      const signal = AbortSignal.any([line.cut.signal, ...(request.signal === undefined ? [] : [request.signal])]);
      return direct.watch({ ...request, signal });
    },
  };
  const informer = new Informer<ConfigMap>({
    env: server.env,
    client: createClient(transport, "test"),
    kind: configMapKind,
    indexes: { colour: ({ data }) => (data?.colour === undefined ? [] : [data.colour]) },
  });
  const seen: string[] = [];
  informer.addHandler({
    onAdd: ({ metadata }) => seen.push(`+${metadata.name}`),
    onUpdate: (before, { metadata }) => seen.push(`${before.metadata.name}~${metadata.name}`),
    onDelete: ({ metadata }) => seen.push(`-${metadata.name}`),
  });
  const put = (name: string, colour: string) =>
    server.client.create<ConfigMap>(configMapKind, { metadata: { name, namespace: "default" }, data: { colour } });
  const drop = (name: string) => server.client.delete(configMapKind, { namespace: "default", name });
  const recolour = (name: string, colour: string) =>
    server.client.patch<ConfigMap>(configMapKind, { namespace: "default", name }, "merge", { data: { colour } });
  const cut = (failure?: Error) => {
    line.failure = failure;
    const before = line.cut;
    line.cut = new AbortController();
    before.abort();
  };
  return { ...server, informer, seen, put, drop, recolour, cut, line };
}

const named = (objects: readonly ConfigMap[]) => objects.map(({ metadata }) => metadata.name).join(" ");

describe("an informer", () => {
  it("lists, then follows, and indexes", async () => {
    const { informer, seen, put, drop, recolour, clock } = start();
    await put("a", "red");
    informer.start();
    await informer.synced();
    await put("b", "blue");
    const changed = await recolour("a", "blue");
    await clock.advance(0);
    expect(named(informer.byIndex("colour", "blue"))).toBe("b a");
    expect(informer.byIndex("colour", "red")).toEqual([]);
    expect(informer.hasSeen(changed.metadata.resourceVersion)).toBe(true);
    await drop("b");
    await clock.advance(0);
    expect([named(informer.list()), seen.join(" ")]).toEqual(["a", "+a +b a~a -b"]);
    await informer.stop();
  });

  it("pages through more than 500", async () => {
    const { informer, put, line } = start();
    for (let index = 0; index < 1100; index++) await put(`m${index}`, "red");
    informer.start();
    await informer.synced();
    expect([informer.size, line.lists]).toEqual([1100, 3]);
    await informer.stop();
  });

  it("goes on where a watch ended, without a new list", async () => {
    const { informer, put, cut, clock, line, seen } = start();
    informer.start();
    await informer.synced();
    await clock.advance(5000);
    await put("a", "red");
    await clock.advance(0);
    cut();
    await put("b", "red");
    await clock.advance(5000);
    expect([named(informer.list()), line.lists, seen.join(" ")]).toEqual(["a b", 1, "+a +b"]);
    await informer.stop();
  });

  it("lists again when its version is too old, and tells only what differs", async () => {
    const { informer, put, drop, recolour, cut, clock, seen, line } = start();
    for (const name of ["a", "b", "c"]) await put(name, "red");
    informer.start();
    await informer.synced();
    await clock.advance(5000);
    cut(new ApiError("Expired", "too old resource version"));
    await clock.advance(0);
    await drop("a");
    await recolour("b", "blue");
    await put("d", "red");
    line.failure = undefined;
    await clock.advance(5000);
    expect([named(informer.list()), seen.slice(3).join(" ")]).toEqual(["b c d", "-a b~b +d"]);
    await informer.stop();
  });

  it("goes on within half a second when the API is back, however long it was away", async () => {
    const { informer, put, cut, clock, line } = start();
    informer.start();
    await informer.synced();
    await clock.advance(5000);
    cut(Object.assign(new Error("connect ENOENT"), { code: "ENOENT" }));
    await clock.advance(120_000);
    await put("a", "red");
    line.failure = undefined;
    await clock.advance(500);
    expect([named(informer.list()), line.lists]).toEqual(["a", 1]);
    await informer.stop();
  });

  it("lists at once when the API has forgotten what it saw", async () => {
    const { informer, put, cut, clock, line } = start();
    informer.start();
    await informer.synced();
    await clock.advance(5000);
    cut(new ApiError("Expired", "too old resource version"));
    line.failure = undefined;
    await put("a", "red");
    await clock.advance(0);
    expect(named(informer.list())).toBe("a");
    await informer.stop();
  });

  it("waits ever longer while the API fails, at most a minute", async () => {
    const { informer, clock, line } = start();
    line.failure = new Error("broken");
    const atMs: number[] = [];
    informer.start();
    for (let seconds = 0; seconds < 600; seconds++) {
      const before = line.lists;
      await clock.advance(1000);
      if (line.lists > before) atMs.push(clock.monotonic());
    }
    const gaps = atMs.slice(1).map((at, index) => at - (atMs[index] as number));
    expect(gaps[0]).toBeLessThanOrEqual(4000);
    expect(Math.max(...gaps)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(61_000);
    line.failure = undefined;
    await clock.advance(61_000);
    expect(informer.hasSynced).toBe(true);
    await informer.stop();
  });

  it("shares objects by reference, and knows them by key", async () => {
    const { informer, put, client } = start();
    const made = await put("a", "red");
    informer.start();
    await informer.synced();
    const cached = informer.get(objectKey(made));
    expect(cached).toBe(await client.get<ConfigMap>(configMapKind, { namespace: "default", name: "a" }));
    await informer.stop();
  });
});
