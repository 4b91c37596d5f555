import { describe, expect, it } from "vitest";
import { kinds } from "../../api/index.ts";
import { schemas } from "../../api/schemas.ts";
import { decodeMessage } from "../../machinery/protobuf/decodeMessage.ts";
import { unwrap } from "../../machinery/protobuf/envelope.ts";
import { readFields } from "../../machinery/protobuf/wire.ts";
import type { Schema } from "../../machinery/schema.ts";
import { META_TYPES } from "../protobufParser.ts";
import { testServer } from "../testServer.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const PODS = "/api/v1/namespaces/default/pods";
const PROTOBUF = { accept: "application/vnd.kubernetes.protobuf" };

async function filled(count = 2) {
  const server = testServer();
  for (let index = 0; index < count; index += 1) {
    await server.send("POST", MAPS, { metadata: { name: `m${index}` }, data: { a: "x".repeat(3000) } });
  }
  return server;
}

function decoded(bytes: Uint8Array, type?: string): Record<string, unknown> {
  const { apiVersion, kind, raw } = unwrap(bytes);
  const version = apiVersion.split("/").at(-1) as string;
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] as string) : "";
  const schema = type === undefined ? schemas.kind({ group, version, kind }) : schemas.type(type);
  return { kind, apiVersion, ...decodeMessage(raw, schema as NonNullable<typeof schema>) };
}

/** Fields of a type, or of one within it, that could not be written. */
function unnumbered(schema: Schema, seen = new Set<Schema>()): readonly string[] {
  if (schema.kind === "list") return unnumbered(schema.items, seen);
  if (schema.kind === "map") return unnumbered(schema.values, seen);
  if (schema.kind !== "struct" || seen.has(schema)) return [];
  seen.add(schema);
  return [...schema.fields.values()].flatMap(({ name, number, schema: inner }) => {
    const isMissing = number === undefined && name !== "apiVersion" && name !== "kind";
    return [...(isMissing ? [`${schema.name}.${name}`] : []), ...unnumbered(inner, seen)];
  });
}

describe("protobuf", () => {
  it.each(kinds.flatMap((kind) => [kind.kind, `${kind.kind}List`].map((name) => [name, kind] as const)))(
    "has a number for every field of %s",
    (name, { group, version }) => {
      const schema = schemas.kind({ group, version, kind: name });
      expect(schema && unnumbered(schema)).toEqual([]);
    },
  );

  it("says the same as JSON", async () => {
    const { send } = testServer();
    const probe = { httpGet: { port: 80, path: "/" }, periodSeconds: 3 };
    const container = { name: "c", image: "i", resources: { limits: { cpu: "1500m" } }, livenessProbe: probe };
    await send("POST", PODS, { metadata: { name: "p", labels: { a: "" } }, spec: { containers: [container] } });
    const { body } = await send("GET", `${PODS}/p`);
    const { bytes, contentType } = await send("GET", `${PODS}/p`, undefined, PROTOBUF);
    expect(contentType).toBe("application/vnd.kubernetes.protobuf");
    expect(decoded(bytes as Uint8Array)).toEqual(body);
  });

  it.each([2, 200])("lists %d objects", async (count) => {
    const { send } = await filled(count);
    const { body } = await send("GET", MAPS);
    const { bytes } = await send("GET", MAPS, undefined, PROTOBUF);
    const { items, ...head } = decoded(bytes as Uint8Array);
    expect(head).toEqual({ kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: `${count + 1}` } });
    const bare = (item: { kind?: string; apiVersion?: string }) => ({
      ...item,
      kind: undefined,
      apiVersion: undefined,
    });
    expect((items as object[]).map(bare)).toEqual(body.items.map(bare));
  });

  it("lists metadata alone", async () => {
    const { send } = await filled(1);
    const accept = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const { bytes } = await send("GET", MAPS, undefined, { accept });
    const { apiVersion, kind, raw } = unwrap(bytes as Uint8Array);
    expect([apiVersion, kind]).toEqual(["meta.k8s.io/v1", "PartialObjectMetadataList"]);
    const [, item] = [...readFields(raw)];
    const [metadata] = [...readFields(item?.bytes as Uint8Array)];
    const type = schemas.type(`${META_TYPES}.ObjectMeta`);
    expect(decodeMessage(metadata?.bytes as Uint8Array, type)).toMatchObject({ name: "m0", namespace: "default" });
  });

  it("says what went wrong", async () => {
    const { send } = testServer();
    const { status, bytes } = await send("GET", `${MAPS}/none`, undefined, PROTOBUF);
    expect(status).toBe(404);
    const answer = decoded(bytes as Uint8Array, `${META_TYPES}.Status`);
    expect(answer).toMatchObject({ kind: "Status", reason: "NotFound", message: 'configmaps "none" not found' });
  });

  it.each([
    ["a Table", "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json", "ConfigMapList"],
    ["JSON where that is liked better", "application/json,application/vnd.kubernetes.protobuf", "ConfigMapList"],
  ])("leaves to JSON %s", async (_, accept, kind) => {
    const { send } = await filled();
    const { body, contentType } = await send("GET", MAPS, undefined, { accept });
    expect(contentType).toBe("application/json");
    expect(body.kind).toBe(kind);
  });

  it("watches, with the length before each event", async () => {
    const server = await filled(1);
    const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const { watch, contentType } = await server.send("GET", `${MAPS}?${query}`, undefined, PROTOBUF);
    expect(contentType).toBe("application/vnd.kubernetes.protobuf;stream=watch");
    const frames = (await watch?.next()) ?? [];
    const events = frames.map((frame) => {
      const bytes = Buffer.from(frame.bytes());
      expect(bytes.readUInt32BE()).toBe(bytes.length - 4);
      const [type, object] = [...readFields(bytes.subarray(4))];
      const [raw] = [...readFields(object?.bytes as Uint8Array)];
      return [Buffer.from(type?.bytes ?? []).toString(), decoded(raw?.bytes as Uint8Array)];
    });
    expect(events).toMatchObject([
      ["ADDED", { kind: "ConfigMap", metadata: { name: "m0", resourceVersion: "2" } }],
      ["BOOKMARK", { kind: "ConfigMap", metadata: { annotations: { "k8s.io/initial-events-end": "true" } } }],
    ]);
  });

  it("shares its frames among watchers of protobuf, and not with those of JSON", async () => {
    const server = testServer();
    const open = async (headers: Record<string, string>) =>
      (await server.send("GET", `${MAPS}?watch=1`, undefined, headers)).watch;
    const watches = [await open(PROTOBUF), await open(PROTOBUF), await open({})];
    await server.send("POST", MAPS, { metadata: { name: "x" } });
    const [one, two, json] = await Promise.all(watches.map(async (watch) => (await watch?.next())?.[0]));
    expect(one).toBe(two);
    expect(Buffer.from(json?.bytes() ?? []).toString()).toMatch(/^{"type":"ADDED"/);
  });
});
