import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildSchemas } from "../schema.ts";
import { decodeMessage } from "./decodeMessage.ts";
import { encodeMessage } from "./encodeMessage.ts";
import { unwrap, wrap } from "./envelope.ts";

const schemas = buildSchemas(JSON.parse(readFileSync(join(import.meta.dirname, "../../api/table.json"), "utf8")));

describe("an object comes back as it was", () => {
  const cases: { name: string; type: string; object: object }[] = [
    {
      name: "strings, maps and bytes",
      type: "api.core.v1.Secret",
      object: { metadata: { name: "s", labels: { a: "1", b: "" } }, data: { key: "AQID" }, type: "Opaque" },
    },
    {
      name: "times, numbers below zero, lists of structs",
      type: "api.core.v1.Pod",
      object: {
        metadata: { name: "p", creationTimestamp: "2026-01-02T03:04:05Z", generation: 3 },
        spec: {
          priority: -10,
          hostNetwork: true,
          containers: [
            {
              name: "c",
              args: ["-a", ""],
              resources: { requests: { cpu: "100m" } },
              livenessProbe: { httpGet: { port: "http", path: "/" } },
              readinessProbe: { tcpSocket: { port: 80 } },
            },
          ],
        },
      },
    },
    {
      name: "micro times",
      type: "api.coordination.v1.Lease",
      object: { metadata: { name: "l" }, spec: { renewTime: "2026-01-02T03:04:05.000678Z", leaseDurationSeconds: 15 } },
    },
    {
      name: "raw JSON",
      type: "api.apps.v1.ControllerRevision",
      object: { metadata: { name: "r" }, data: { spec: { x: [1, "a", null] } }, revision: 7 },
    },
    {
      name: "lists within maps",
      type: "api.authentication.v1.UserInfo",
      object: { username: "u", groups: ["a", "b"], extra: { scopes: ["x", "y"] } },
    },
  ];
  for (const { name, type, object } of cases) {
    test(name, () => {
      const schema = schemas.type(type);
      expect(decodeMessage(encodeMessage(object, schema), schema)).toEqual(object);
    });
  }
});

test.each([1, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 35 - 1, 2 ** 35, 2 ** 49 - 1, 2 ** 53 - 1, -1, -(2 ** 40)])(
  "the integer %d comes back as it was",
  (generation) => {
    const schema = schemas.type("apimachinery.pkg.apis.meta.v1.ObjectMeta");
    expect(decodeMessage(encodeMessage({ generation }, schema), schema)).toEqual({ generation });
  },
);

test("a message of more than the writer begins with comes back as it was", () => {
  const schema = schemas.type("api.core.v1.ConfigMap");
  const object = { data: { a: "ä".repeat(10_000), b: "x".repeat(100_000) }, metadata: { name: "n" } };
  expect(decodeMessage(encodeMessage(object, schema), schema)).toEqual(object);
});

describe("bytes that kubectl 1.35 sent are understood", () => {
  test("create configmap a --from-literal=k=v", () => {
    const { apiVersion, kind, raw } = unwrap(
      Buffer.from(
        "6b3873000a0f0a0276311209436f6e6669674d6170121c0a120a016112001a016222002a0032003800420012060a016b1201761a002200",
        "hex",
      ),
    );
    expect({ apiVersion, kind }).toEqual({ apiVersion: "v1", kind: "ConfigMap" });
    expect(decodeMessage(raw, schemas.type("api.core.v1.ConfigMap"))).toMatchObject({
      metadata: { name: "a", namespace: "b", creationTimestamp: null },
      data: { k: "v" },
    });
  });

  test("create deployment d --image=x --port=80", () => {
    const { raw } = unwrap(
      Buffer.from(
        "6b3873000a150a07617070732f7631120a4465706c6f796d656e7412a8010a1c0a016412001a016222002a003200380042005a080a03617070120164127a0801120a0a080a036170701201641a620a1a0a0012001a0022002a003200380042005a080a03617070120164124412260a01781201782a00320a0a001000185022002a0042006a007200800100880100900100a201001a00320042004a0052005800600068008201008a01009a0100c2010022020a00280038001a0c0800100018002000280038001a002200",
        "hex",
      ),
    );
    expect(decodeMessage(raw, schemas.type("api.apps.v1.Deployment"))).toMatchObject({
      metadata: { name: "d", labels: { app: "d" } },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "d" } },
        template: { spec: { containers: [{ name: "x", image: "x", ports: [{ containerPort: 80 }] }] } },
      },
    });
  });
});

test("the envelope keeps the kind and the bytes", () => {
  const envelope = { apiVersion: "apps/v1", kind: "Deployment", raw: Buffer.from([1, 2, 3]) };
  expect(unwrap(wrap(envelope))).toEqual(envelope);
});

describe("what is not protobuf is refused", () => {
  const schema = schemas.type("api.core.v1.ConfigMap");
  const cases: { name: string; bytes: number[]; want: string }[] = [
    { name: "a message that ends early", bytes: [0x0a, 0x05, 0x01], want: "unexpected EOF" },
    { name: "an integer without an end", bytes: Array.from({ length: 12 }, () => 0xff), want: "integer overflow" },
    { name: "an unknown wire type", bytes: [0x0f], want: "illegal wireType 7" },
  ];
  for (const { name, bytes, want } of cases) {
    test(name, () => expect(() => decodeMessage(Uint8Array.from(bytes), schema)).toThrow(want));
  }
  test("bytes without the prefix", () =>
    expect(() => unwrap(Buffer.from("{}"))).toThrow("does not appear to be a protobuf message"));
});
