import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkFieldValidation, decodeObject, duplicateKeys, parseFieldValidation } from "./decode.ts";
import { isApiError } from "./errors.ts";
import { buildSchemas } from "./schema.ts";

const schemas = buildSchemas(JSON.parse(readFileSync(new URL("../api/table.json", import.meta.url), "utf8")));
const pod = { schema: schemas.type("api.core.v1.Pod"), kind: { version: "v1", kind: "Pod" } };
const deployment = { schema: schemas.type("api.apps.v1.Deployment"), kind: { version: "v1", kind: "Deployment" } };
const readSpec = (spec: object) => decodeObject<{ spec: object }>({ metadata: {}, spec }, pod).object.spec;
const readContainer = (container: object) => readSpec({ containers: [{ name: "a", ...container }] });

describe("decodeObject", () => {
  it("writes times that Go holds by value also where there are none", () => {
    const status = { conditions: [{ type: "Ready", status: "True" }], startTime: null };
    expect(
      decodeObject<{ status: object }>({ metadata: {}, spec: { containers: [] }, status }, pod).object.status,
    ).toEqual({
      conditions: [{ type: "Ready", status: "True", lastProbeTime: null, lastTransitionTime: null }],
    });
  });

  it.each([
    [
      "writes quantities canonically",
      { resources: { requests: { cpu: 0.5 } } },
      { resources: { requests: { cpu: "500m" } } },
    ],
    ["fills in what Go always writes", {}, { resources: {} }],
    ["leaves out nulls", { image: null, command: null }, { resources: {} }],
    ["leaves out what Go omits when empty", { image: "", tty: false, command: [] }, { resources: {} }],
    [
      "fills in a divisor",
      { env: [{ name: "e", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }] },
      {
        env: [{ name: "e", valueFrom: { resourceFieldRef: { divisor: "0", resource: "limits.cpu" } } }],
        resources: {},
      },
    ],
    ["turns a null in a list into the zero value", { args: ["a", null] }, { args: ["a", ""], resources: {} }],
    [
      "takes numbers and names for ports",
      { livenessProbe: { httpGet: { port: "web" } } },
      {
        livenessProbe: { httpGet: { port: "web" } },
        resources: {},
      },
    ],
  ])("%s", (_, container, want) => expect(readContainer(container)).toEqual({ containers: [{ name: "a", ...want }] }));

  it("keeps a zero that Go holds by pointer, and an empty struct", () =>
    expect(
      readSpec({ containers: [], terminationGracePeriodSeconds: 0, shareProcessNamespace: false, securityContext: {} }),
    ).toEqual({
      containers: [],
      terminationGracePeriodSeconds: 0,
      shareProcessNamespace: false,
      securityContext: {},
    }));

  it("fills in a whole object", () =>
    expect(decodeObject({ kind: "Deployment" }, deployment).object).toEqual({
      kind: "Deployment",
      metadata: {},
      spec: { strategy: {}, template: { metadata: {}, spec: {} } },
      status: {},
    }));

  it("writes times in UTC and in the precision of their type", () => {
    const { object } = decodeObject({ metadata: { creationTimestamp: "2026-01-02T03:04:05.678+01:00" } }, pod);
    expect(object.metadata.creationTimestamp).toBe("2026-01-02T02:04:05Z");
    const lease = { schema: schemas.type("api.coordination.v1.Lease"), kind: { version: "v1", kind: "Lease" } };
    const read = decodeObject<{ spec: object }>({ spec: { renewTime: "2026-01-02T03:04:05Z" } }, lease);
    expect(read.object.spec).toEqual({ renewTime: "2026-01-02T03:04:05.000000Z" });
  });

  it("drops unknown fields and names them", () => {
    const { object, unknownFields } = decodeObject<{ spec: object }>(
      { foo: 1, spec: { bar: 1, containers: [{ name: "a", imagee: "x" }] } },
      pod,
    );
    expect(unknownFields).toEqual([
      'unknown field "foo"',
      'unknown field "spec.bar"',
      'unknown field "spec.containers[0].imagee"',
    ]);
    expect(object.spec).toEqual({ containers: [{ name: "a", resources: {} }] });
  });

  it("shares nothing with what it was given, and keeps odd keys", () => {
    const labels = JSON.parse('{"__proto__": "x", "a": "b"}');
    const { object } = decodeObject({ metadata: { labels } }, pod);
    expect(Object.entries(object.metadata.labels ?? {})).toEqual([
      ["__proto__", "x"],
      ["a", "b"],
    ]);
    expect(object.metadata.labels).not.toBe(labels);
  });

  it.each([
    [{ spec: { containers: "x" } }, "string into Go struct field PodSpec.spec.containers of type []v1.Container"],
    [
      { spec: { containers: [{ env: [{ value: 1 }] }] } },
      "number into Go struct field EnvVar.spec.containers.env.value of type string",
    ],
    [{ metadata: { labels: { a: 1 } } }, "number into Go struct field ObjectMeta.metadata.labels of type string"],
    [{ spec: { priority: 1.5 } }, "number 1.5 into Go struct field PodSpec.spec.priority of type int32"],
    [{ spec: [] }, "array into Go struct field Pod.spec of type v1.PodSpec"],
    [{ spec: { restartPolicy: 5 } }, "number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"],
    [
      { spec: { containers: [{ resources: { limits: "x" } }] } },
      "string into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList",
    ],
    [
      { metadata: { ownerReferences: [{ uid: 5 }] } },
      "number into Go struct field OwnerReference.metadata.ownerReferences.uid of type types.UID",
    ],
    [
      { spec: { containers: [{ livenessProbe: { httpGet: { port: 1.5 } } }] } },
      "number 1.5 into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32",
    ],
    [
      { metadata: { creationTimestamp: 5 } },
      "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
    ],
    [{ spec: { hostNetwork: "yes" } }, "string into Go struct field PodSpec.spec.hostNetwork of type bool"],
  ])("refuses %j", (value, message) => {
    const text = `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal ${message}`;
    expect(() => decodeObject(value, pod)).toThrow(expect.objectContaining({ message: text }));
  });

  it.each([
    ["yesterday", 'cannot parse "yesterday" as "2006"'],
    ["8080", 'cannot parse "" as "-"'],
    ["2026-01-01", 'cannot parse "" as "T"'],
    ["2026-01-01T00:00:00", 'cannot parse "" as "Z07:00"'],
    ["2026-01-01T00:00:00Z!", 'extra text: "!"'],
  ])("says of the time %s that Go %s", (text, fault) => {
    const value = { metadata: { creationTimestamp: text } };
    const message = `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": ${fault}`;
    expect(() => decodeObject(value, pod)).toThrow(message);
  });

  it("refuses a wrong quantity and a wrong time as BadRequest", () => {
    const wrong = [
      { spec: { containers: [{ resources: { limits: { cpu: "x" } } }] } },
      { metadata: { creationTimestamp: "yesterday" } },
    ];
    for (const value of wrong) {
      expect(() => decodeObject(value, pod)).toThrow(expect.toSatisfy((error) => isApiError(error, "BadRequest")));
    }
  });
});

describe("duplicateKeys", () => {
  it.each([
    ['{"a":1,"b":{"a":1}}', []],
    ['{"a":1,"a":2}', ['duplicate field "a"']],
    ['{"spec":{"c":[{"x":1},{"x":1,"x":2}]}}', ['duplicate field "spec.c[1].x"']],
    ['{"a":"\\",\\"a\\":","b":[1,"a","a"]}', []],
    ['{"a":1,"\\u0061":2,"a":3}', ['duplicate field "a"']],
    ['{"a":{},"b":[[{"k":1}],[{"k":1,"k":1}]],"b":1}', ['duplicate field "b[1][0].k"', 'duplicate field "b"']],
    ['{"a\\\\":1, "b" : 1 ,"b": 1}', ['duplicate field "b"']],
  ])("%s", (text, want) => expect(duplicateKeys(text)).toEqual(want));
});

describe("fieldValidation", () => {
  const problems = ['unknown field "spec.foo"', 'duplicate field "a"'];
  it("warns, ignores, or refuses", () => {
    expect(checkFieldValidation("Warn", problems, pod.kind)).toEqual(problems);
    expect(checkFieldValidation("Ignore", problems, pod.kind)).toEqual([]);
    const many = Array.from({ length: 1_000 }, (_, index) => `unknown field "${index}"`);
    expect(checkFieldValidation("Warn", many, pod.kind)).toEqual(many.slice(0, 100));
    expect(() => checkFieldValidation("Strict", problems, pod.kind)).toThrow(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo", duplicate field "a"',
    );
  });
  it("warns by default, and knows no other word", () => {
    expect(parseFieldValidation(null)).toBe("Warn");
    expect(parseFieldValidation("Strict")).toBe("Strict");
    expect(() => parseFieldValidation("Lax")).toThrow('fieldValidation: Unsupported value: "Lax"');
  });
});
