import { describe, expect, it } from "vitest";
import { testServer } from "../testServer.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
type Server = ReturnType<typeof testServer>;
type Named = { metadata: { name: string; namespace?: string } };

const create = (server: Server, name: string, namespace = "default", labels = {}) =>
  server.send("POST", `/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name, labels } });
const names = (body: { items: Named[] }) => body.items.map(({ metadata }) => metadata.name);

async function filled(): Promise<Server> {
  const server = testServer();
  for (const name of ["a", "b", "c", "d", "e"])
    await create(server, name, "default", { odd: `${"ace".includes(name)}` });
  return server;
}

describe("list", () => {
  it("gives pages that together are the list as it was at the first page", async () => {
    const server = await filled();
    const first = await server.send("GET", `${MAPS}?limit=2`);
    expect(names(first.body)).toEqual(["a", "b"]);
    expect(first.body.metadata.remainingItemCount).toBe(3);
    await create(server, "bb");
    await server.send("DELETE", `${MAPS}/e`);
    const second = await server.send("GET", `${MAPS}?limit=2&continue=${first.body.metadata.continue}`);
    expect(names(second.body)).toEqual(["c", "d"]);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    const third = await server.send("GET", `${MAPS}?limit=2&continue=${second.body.metadata.continue}`);
    expect(names(third.body)).toEqual(["e"]);
    expect(third.body.metadata.continue).toBeUndefined();
  });

  it("answers a token whose revision is compacted with 410 and a token to go on with anyway", async () => {
    const server = await filled();
    const first = await server.send("GET", `${MAPS}?limit=2`);
    await create(server, "f");
    await server.storage.compact(server.storage.revision);
    const second = await server.send("GET", `${MAPS}?limit=2&continue=${first.body.metadata.continue}`);
    expect(second.status).toBe(410);
    expect(second.body.reason).toBe("Expired");
    expect(second.body.message).toMatch(/^The provided continue parameter is too old to display a consistent list/);
    const again = await server.send("GET", `${MAPS}?continue=${second.body.metadata.continue}`);
    expect(names(again.body)).toEqual(["c", "d", "e", "f"]);
  });

  it("puts namespaces in key order, a hyphen before the end of a name", async () => {
    const server = testServer();
    for (const namespace of ["a", "a-b", "b"]) await create(server, "x", namespace);
    const { body } = await server.send("GET", "/api/v1/configmaps");
    expect(body.items.map(({ metadata }: Named) => metadata.namespace)).toEqual(["a-b", "a", "b"]);
  });

  it("finds no ReplicaSets by their status, which upstream's apps/v1 does not convert", async () => {
    const { send } = testServer();
    const { status, body } = await send("GET", "/apis/apps/v1/replicasets?fieldSelector=status.replicas%3D0");
    expect(status).toBe(400);
    expect(body.message).toBe(
      '"status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });

  it("takes a namespace to select by where there is none, and finds nothing", async () => {
    const { send } = testServer({ bootstrap: true });
    const CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses?fieldSelector=metadata.namespace%3Ddefault";
    const { status, body } = await send("GET", CLASSES);
    expect({ status, items: body.items }).toEqual({ status: 200, items: [] });
  });

  const queries: [name: string, query: string, want: string | string[]][] = [
    ["selects by label", "labelSelector=odd%3Dtrue", ["a", "c", "e"]],
    ["selects by a set", "labelSelector=odd+in+(false)", ["b", "d"]],
    ["selects by name", "fieldSelector=metadata.name%3Dc", ["c"]],
    [
      "refuses a field that it does not know",
      "fieldSelector=spec.x%3Dc",
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    ["takes revision 0", "resourceVersion=0", ["a", "b", "c", "d", "e"]],
    ["does not page what it takes from the cache as it is", "resourceVersion=0&limit=2", ["a", "b", "c", "d", "e"]],
    ["nor with a rule", "resourceVersion=0&resourceVersionMatch=NotOlderThan&limit=2", ["a", "b", "c", "d", "e"]],
    ["takes an exact revision of the past", "resourceVersion=3&resourceVersionMatch=Exact", ["a", "b"]],
    ["takes a limit at a revision as exact", "resourceVersion=3&limit=10", ["a", "b"]],
    ["takes not older than", "resourceVersion=3&resourceVersionMatch=NotOlderThan", ["a", "b", "c", "d", "e"]],
    [
      "refuses a match rule without a revision",
      "resourceVersionMatch=Exact",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      "refuses exactly zero",
      "resourceVersion=0&resourceVersionMatch=Exact",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      "refuses a broken token",
      "continue=abc",
      "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    ],
    [
      "refuses a token that is no base64",
      "continue=ab%20c",
      "invalid continue token: continue key is not valid: illegal base64 data at input byte 2",
    ],
    ["refuses a limit that is no number", "limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'],
  ];
  it.each(queries)("%s", async (_, query, want) => {
    const server = await filled();
    const { body } = await server.send("GET", `${MAPS}?${query}`);
    if (typeof want === "string") expect(body.message).toContain(want);
    else expect(names(body)).toEqual(want);
  });

  it("waits three seconds for a revision of the future and then gives up", async () => {
    const server = await filled();
    const answer = server.send("GET", `${MAPS}?resourceVersion=99`);
    await server.clock.advance(3_000);
    expect(await answer).toMatchObject({
      status: 504,
      body: { message: "Timeout: Too large resource version: 99, current: 6", details: { retryAfterSeconds: 1 } },
    });
  });

  it("gives objects of the past that have changed since as they were", async () => {
    const server = testServer();
    const { body } = await server.send("POST", MAPS, { metadata: { name: "a" }, data: { k: "old" } });
    await server.send("PUT", `${MAPS}/a`, { ...body, data: { k: "new" } });
    const rv = body.metadata.resourceVersion;
    const old = await server.send("GET", `${MAPS}?resourceVersion=${rv}&resourceVersionMatch=Exact`);
    expect(old.body.items[0].data).toEqual({ k: "old" });
    expect(old.body.items[0].metadata.resourceVersion).toBe(rv);
  });
});
