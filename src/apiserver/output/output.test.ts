import { describe, expect, it } from "vitest";
import { testServer } from "../testServer.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const TABLE =
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

async function filled(count = 2) {
  const server = testServer();
  for (let index = 0; index < count; index += 1) {
    await server.send("POST", MAPS, { metadata: { name: `m${index}` }, data: { a: "x".repeat(3000) } });
  }
  return server;
}

describe("tables", () => {
  it("leave dates as they are where no age is meant", async () => {
    const { send } = testServer();
    const ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    await send("POST", ROLES, { metadata: { name: "r" }, rules: [] });
    const { body } = await send("GET", ROLES, undefined, { accept: TABLE });
    expect(body.columnDefinitions[1]).toMatchObject({ name: "Created At", type: "date" });
    expect(body.rows[0].cells[1]).toMatch(/^\d{4}-\d{2}-\d{2}T/);
  });

  it("print ages as they are when asked", async () => {
    const server = await filled();
    await server.clock.advance(5 * 60_000 + 10_000);
    const { body } = await server.send("GET", MAPS, undefined, { accept: TABLE });
    expect(body).toMatchObject({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "3" },
      columnDefinitions: [
        { name: "Name", type: "string", format: "name", priority: 0 },
        { name: "Data", priority: 0 },
        { name: "Age", type: "string", priority: 0 },
      ],
      rows: [
        { cells: ["m0", 1, "5m10s"], object: { kind: "PartialObjectMetadata", metadata: { name: "m0" } } },
        { cells: ["m1", 1, "5m10s"] },
      ],
    });
  });

  it.each([
    ["None", null],
    ["Object", { kind: "ConfigMap", metadata: { name: "m0" } }],
  ])("carry with includeObject=%s what was asked for", async (include, want) => {
    const server = await filled();
    const { body } = await server.send("GET", `${MAPS}/m0?includeObject=${include}`, undefined, { accept: TABLE });
    if (want === null) expect(body.rows[0].object).toBe(null);
    else expect(body.rows[0].object).toMatchObject(want);
  });

  it("page as lists do", async () => {
    const server = await filled(3);
    const { body } = await server.send("GET", `${MAPS}?limit=2`, undefined, { accept: TABLE });
    expect(body.rows.length).toBe(2);
    expect(body.metadata.remainingItemCount).toBe(1);
    expect(body.metadata.continue).toBeTruthy();
  });
});

describe("other forms", () => {
  it("give metadata only", async () => {
    const server = await filled();
    const accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    const { body } = await server.send("GET", MAPS, undefined, { accept });
    expect(body).toMatchObject({ kind: "PartialObjectMetadataList", items: [{ kind: "PartialObjectMetadata" }, {}] });
    expect(body.items[0].data).toBeUndefined();
  });

  it("give a long list in chunks that are together its JSON", async () => {
    const server = await filled(200);
    const { body } = await server.send("GET", MAPS);
    expect(body.items.length).toBe(200);
    expect(body.items.every((item: { data: { a: string } }) => item.data.a.length === 3000)).toBe(true);
  });

  it("give the stored bytes, the revision put in", async () => {
    const server = await filled(1);
    const request = { method: "GET", path: `${MAPS}/m0` } as const;
    const response = await server.handle(request, { name: "a", groups: ["system:masters"] });
    if (response.type !== "object") throw new Error(response.type);
    const text = Buffer.from(response.bytes() as Uint8Array).toString();
    expect(
      text.startsWith('{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"2","name":"m0",'),
    ).toBe(true);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(response.object)));
  });

  it("serve an event under both of its versions", async () => {
    const { send } = testServer();
    const involvedObject = { kind: "Pod", namespace: "default", name: "p" };
    const event = { metadata: { name: "e" }, involvedObject, reason: "Because", message: "text", type: "Normal" };
    expect((await send("POST", "/api/v1/namespaces/default/events", event)).status).toBe(201);
    const { body } = await send("GET", "/apis/events.k8s.io/v1/namespaces/default/events/e");
    expect(body).toMatchObject({ apiVersion: "events.k8s.io/v1", regarding: { name: "p" }, note: "text" });
  });
});

describe("items of lists", () => {
  it("do not say what the list says, and have all the rest", async () => {
    const server = await filled(1);
    const one = await server.send("GET", `${MAPS}/m0`);
    const { body } = await server.send("GET", MAPS);
    const { kind, apiVersion, ...rest } = one.body;
    expect([kind, apiVersion]).toEqual(["ConfigMap", "v1"]);
    expect(body).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1" });
    expect(body.items).toEqual([rest]);
  });

  it("do not in YAML or in another version than the stored one either", async () => {
    const server = await filled(1);
    const yaml = await server.send("GET", MAPS, undefined, { accept: "application/yaml" });
    expect(yaml.body).not.toContain("kind: ConfigMap\n");
    const regarding = { kind: "Pod", namespace: "default", name: "web" };
    const event = {
      metadata: { name: "e" },
      regarding,
      reason: "r",
      type: "Normal",
      action: "a",
      eventTime: "2026-01-01T00:00:00.000000Z",
      reportingController: "x.y/z",
      reportingInstance: "i",
    };
    await server.send("POST", "/apis/events.k8s.io/v1/namespaces/default/events", event);
    for (const path of ["/api/v1", "/apis/events.k8s.io/v1"]) {
      const { body } = await server.send("GET", `${path}/events`);
      expect(body.items).toHaveLength(1);
      expect(Object.keys(body.items[0])).not.toContain("kind");
    }
  });
});

describe("JSON", () => {
  it.each([
    ["is a line for programs", "", {}, /^{"kind".*}\n$/],
    ["is indented for curl", "", { "user-agent": "curl/8.0" }, /^{\n {2}"kind": "ConfigMapList",\n/],
    ["is indented when that is wished for", "?pretty=true", {}, /^{\n {2}"kind"/],
    ["is a line for curl when that is wished for", "?pretty=false", { "user-agent": "curl/8.0" }, /^{"kind".*}\n$/],
  ])("%s", async (_, query, headers, want) => {
    const server = await filled(1);
    const { bytes } = await server.send("GET", `${MAPS}${query}`, undefined, headers);
    expect(bytes?.toString()).toMatch(want);
  });
});
