import { describe, expect, it } from "vitest";
import { testServer } from "../testServer.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const ONE = `${MAPS}/one`;
const MERGE = { "content-type": "application/merge-patch+json" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };
const APPLY = { "content-type": "application/apply-patch+yaml" };

async function withOne() {
  const server = testServer();
  const { body } = await server.send("POST", MAPS, { metadata: { name: "one" }, data: { a: "1" } });
  return { ...server, one: body };
}

describe("create", () => {
  it("draws a name, and again when it is taken", async () => {
    const { send } = testServer();
    const { body } = await send("POST", MAPS, { metadata: { generateName: "one-" } });
    expect(body.metadata.name).toMatch(/^one-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(body.metadata.generateName).toBe("one-");
  });

  it("gives up after eight names", async () => {
    const suffixes = Array(20).fill("aaaaa");
    const server = testServer();
    server.env.random.suffix = () => suffixes.pop() as string;
    await server.send("POST", MAPS, { metadata: { generateName: "one-" } });
    const { status, body } = await server.send("POST", MAPS, { metadata: { generateName: "one-" } });
    expect(status).toBe(409);
    expect(body.message).toBe(
      'configmaps "one-aaaaa" already exists, the server was not able to generate a unique name for the object',
    );
    expect(suffixes.length).toBe(11);
  });

  it("does everything but write in a dry run", async () => {
    const { send, storage } = testServer();
    const { status, body } = await send("POST", `${MAPS}?dryRun=All`, { metadata: { name: "one" } });
    expect(status).toBe(201);
    expect(body.metadata.uid).toBeTruthy();
    expect(body.metadata).not.toHaveProperty("resourceVersion");
    expect((await send("GET", ONE)).status).toBe(404);
    expect(storage.revision).toBe(1);
  });

  it("records who wrote what", async () => {
    const { one } = await withOne();
    expect(one.metadata.managedFields).toEqual([
      {
        manager: "test",
        operation: "Update",
        apiVersion: "v1",
        time: "2026-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { ".": {}, "f:a": {} } },
      },
    ]);
  });

  const NOT_FOUND = "the server could not find the requested resource";
  const refusals: [name: string, url: string, body: object | string, status: number, message: string][] = [
    ["a name that is taken", MAPS, { metadata: { name: "one" } }, 409, 'configmaps "one" already exists'],
    [
      "no name",
      MAPS,
      { metadata: {} },
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    [
      "another namespace",
      MAPS,
      { metadata: { name: "x", namespace: "y" } },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "another version",
      MAPS,
      { apiVersion: "v2", metadata: { name: "x" } },
      400,
      "the API version in the data (v2) does not match the expected API version (v1)",
    ],
    [
      "another kind",
      MAPS,
      { kind: "Pod", metadata: { name: "x" } },
      400,
      'Pod in version "v1" cannot be handled as a ConfigMap',
    ],
    [
      "an unknown field under Strict",
      `${MAPS}?fieldValidation=Strict`,
      { metadata: { name: "x" }, dta: {} },
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
    ],
    [
      "a value of the wrong type",
      MAPS,
      { metadata: { name: "x" }, data: { a: 1 } },
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [
      "an unknown dry run",
      `${MAPS}?dryRun=Some`,
      { metadata: { name: "x" } },
      422,
      'dryRun: Unsupported value: ["Some"]: supported values: "All"',
    ],
    [
      "a method on one object",
      ONE,
      { metadata: { name: "x" } },
      405,
      "the server does not allow this method on the requested resource",
    ],
    [
      "all namespaces at once",
      "/api/v1/configmaps",
      { metadata: { name: "x" } },
      405,
      "the server does not allow this method on the requested resource",
    ],
    [
      "a finalizer without a domain",
      MAPS,
      { metadata: { name: "x", finalizers: ["mine"] } },
      422,
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    ["a resource that is not there", "/api/v1/namespaces/default/widgets", {}, 404, NOT_FOUND],
    ["a version that is not there", "/apis/apps/v0/namespaces/default/deployments", {}, 404, NOT_FOUND],
    ["a group that is not there", "/apis/example.org/v1/widgets", {}, 404, "404 page not found"],
    [
      "text that is no JSON",
      MAPS,
      "{",
      400,
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({)",
    ],
    [
      "JSON that is no object",
      MAPS,
      "[]",
      400,
      "json parse error: json: cannot unmarshal array into Go value of type struct",
    ],
    ["no body", MAPS, "", 400, "json parse error: unexpected end of JSON input (<empty>)"],
  ];
  it.each(refusals)("refuses %s", async (_, url, body, status, message) => {
    const { send } = await withOne();
    const answer = await send("POST", url, body);
    expect(answer.status).toBe(status);
    expect(typeof answer.body === "string" ? answer.body : answer.body.message).toContain(message);
  });

  it("warns of unknown fields, once each", async () => {
    const { send } = testServer();
    const { headers } = await send("POST", MAPS, { metadata: { name: "x" }, dta: {} });
    expect((headers as Record<string, string>).warning).toBe('299 - "unknown field \\"dta\\""');
  });

  it("takes YAML, and answers in it", async () => {
    const { send } = testServer();
    const headers = { "content-type": "application/yaml", accept: "application/yaml" };
    const { body } = await send("POST", MAPS, "metadata:\n  name: x\ndata: {a: b}\n", headers);
    expect(body).toContain("data:\n  a: b\n");
  });

  it("does not take a media type that it does not know", async () => {
    const { status, body } = await testServer().send("POST", MAPS, "x", { "content-type": "text/plain" });
    expect(status).toBe(415);
    expect(body.message).toBe(
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    );
  });

  it("does not answer in a media type that it does not have", async () => {
    const { status, body } = await testServer().send("GET", MAPS, undefined, { accept: "text/html" });
    expect(status).toBe(406);
    expect(body.message).toContain("only the following media types are accepted: application/json, application/yaml");
  });
});

describe("update", () => {
  it("writes nothing when nothing has changed", async () => {
    const { send, one } = await withOne();
    const { body } = await send("PUT", ONE, one);
    expect(body.metadata.resourceVersion).toBe(one.metadata.resourceVersion);
  });

  const refusals: [name: string, change: object, status: number, message: string][] = [
    ["another name", { name: "two" }, 400, "the name of the object (two) does not match the name on the URL (one)"],
    [
      "no name",
      { name: undefined },
      400,
      "the name of the object (one based on URL) was undeterminable: name must be provided",
    ],
    [
      "another namespace",
      { namespace: "x" },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "another object of that name",
      { uid: "x" },
      409,
      'Operation cannot be fulfilled on configmaps "one": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/one, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ',
    ],
    [
      "a deletion that nobody asked for",
      { deletionTimestamp: "2020-01-01T00:00:00Z" },
      422,
      'metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable',
    ],
    [
      "a period of grace for an object that stays",
      { deletionGracePeriodSeconds: 5 },
      422,
      "metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable",
    ],
    [
      "a finalizer that is no name",
      { finalizers: ["/x"] },
      422,
      'metadata.finalizers: Invalid value: "/x": prefix part must be non-empty',
    ],
    [
      "an owner of no version",
      { ownerReferences: [{ apiVersion: "a/b/c", kind: "K", name: "n", uid: "u" }] },
      422,
      'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty',
    ],
    [
      "an old version",
      { resourceVersion: "99" },
      409,
      'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
    ],
  ];
  it.each(refusals)("refuses %s", async (_, change, status, message) => {
    const { send, one } = await withOne();
    const answer = await send("PUT", ONE, { ...one, data: {}, metadata: { ...one.metadata, ...change } });
    expect(answer).toMatchObject({ status });
    expect(answer.body.message).toContain(message);
  });

  it("wants a version where the kind does not do without", async () => {
    const { send } = testServer();
    const LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    await send("POST", LEASES, { metadata: { name: "l" } });
    expect((await send("PUT", `${LEASES}/l`, { metadata: { name: "l" } })).body.message).toBe(
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it("takes one without a version where the kind allows it, and keeps what the server made", async () => {
    const { send, one } = await withOne();
    const { status, body } = await send("PUT", ONE, { metadata: { name: "one" }, data: { b: "2" } });
    expect(status).toBe(200);
    expect(body.metadata.uid).toBe(one.metadata.uid);
    expect(body.metadata.creationTimestamp).toBe(one.metadata.creationTimestamp);
    expect(body.data).toEqual({ b: "2" });
  });

  it("keeps an owner that is named twice once, and says so", async () => {
    const { send, one } = await withOne();
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "n", uid: "u1" };
    const metadata = { ...one.metadata, ownerReferences: [owner, { ...owner, uid: "u2" }, owner] };
    const { body, headers } = await send("PUT", ONE, { ...one, metadata });
    expect(body.metadata.ownerReferences).toEqual([owner, { ...owner, uid: "u2" }]);
    expect(headers.warning).toContain("please fix your requests; duplicate UID(s) observed: u1");
  });

  it("lets generateName be changed", async () => {
    const { send, one } = await withOne();
    const { body } = await send("PUT", ONE, { ...one, metadata: { ...one.metadata, generateName: "g-" } });
    expect(body.metadata.generateName).toBe("g-");
  });

  it("makes what is missing where the kind allows it", async () => {
    const { send } = testServer();
    const LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    const { status } = await send("PUT", `${LEASES}/x`, { metadata: { name: "x" } });
    expect(status).toBe(201);
    expect((await send("PUT", ONE, { metadata: { name: "one" } })).status).toBe(404);
  });

  it("keeps status and the rest apart", async () => {
    const { send } = testServer();
    const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    const draft = { metadata: { name: "d" }, spec: { selector: { matchLabels: { a: "b" } }, template } };
    const { body } = await send("POST", DEPLOYMENTS, { ...draft, status: { replicas: 9 } });
    expect(body.status).toEqual({});
    expect(body.metadata.generation).toBe(1);
    const next = { ...body, spec: { ...body.spec, replicas: 3 }, status: { replicas: 3 } };
    const whole = await send("PUT", `${DEPLOYMENTS}/d`, next);
    expect(whole.body).toMatchObject({ spec: { replicas: 3 }, status: {}, metadata: { generation: 2 } });
    const change = { ...whole.body, spec: { ...body.spec, replicas: 7 }, status: { replicas: 2 } };
    const status = await send("PUT", `${DEPLOYMENTS}/d/status`, change);
    expect(status.body).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 2 }, metadata: { generation: 2 } });
  });
});

describe("a patch that cannot be read", () => {
  const DATA_NUMBER = "json: cannot unmarshal number into Go struct field ConfigMap.data of type string";
  const cases: [name: string, headers: Record<string, string>, patch: string, status: number, message: string][] = [
    ["of no known type", { "content-type": "constructor" }, "{}", 415, "accepted media types include"],
    ["no JSON", MERGE, "{", 400, "error decoding patch: unexpected end of JSON input"],
    [
      "a list",
      MERGE,
      "[]",
      400,
      "error decoding patch: json: cannot unmarshal array into Go value of type map[string]",
    ],
    ["a list, to be merged by keys", STRATEGIC, "[]", 400, "json: cannot unmarshal array into Go value of type map"],
    ["no operations", JSON_PATCH, "{}", 400, "cannot unmarshal object into Go value of type []handlers.jsonPatchOp"],
    ["a value of the wrong type", MERGE, '{"data":{"a":1}}', 422, ` "" is invalid: patch: Invalid value: "{`],
    ["a value of the wrong type, and why", MERGE, '{"data":{"a":1}}', 422, DATA_NUMBER],
    [
      "an unknown field",
      STRATEGIC,
      '{"foo":[1],"data":{"b":"c"}}',
      422,
      ` "" is invalid: patch: Invalid value: "map[data:map[b:c] foo:[1]]": strict decoding error: unknown field "foo"`,
    ],
    ["a field twice", MERGE, '{"data":{"a":"1","a":"2"}}', 422, 'strict decoding error: duplicate field "data.a"'],
    [
      "an unknown field of an operation",
      JSON_PATCH,
      '[{"op":"add","path":"/data","value":{},"x":1}]',
      422,
      'strict decoding error: json patch unknown field "[0].x"',
    ],
  ];
  it.each(cases)("is refused for %s", async (_, headers, patch, status, message) => {
    const { send } = await withOne();
    const answer = await send("PATCH", `${ONE}?fieldValidation=Strict`, patch, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });

  it("is warned of where that is enough", async () => {
    const { send } = await withOne();
    const { status, headers } = await send("PATCH", ONE, '{"foo":1,"data":{"a":"1","a":"2"}}', MERGE);
    expect(status).toBe(200);
    const warning = '299 - "duplicate field \\"data.a\\"", 299 - "unknown field \\"foo\\""';
    expect(headers).toMatchObject({ warning });
  });
});

describe("apply", () => {
  it.each([
    ["another kind", { apiVersion: "v1", kind: "Secret" }, 400, "invalid object type: /v1, Kind=Secret"],
    ["no kind", { apiVersion: "v1" }, 400, "invalid object type: /v1, Kind="],
    ["no version", { kind: "ConfigMap" }, 400, "invalid object type: /, Kind=ConfigMap"],
    [
      "a field that there is not",
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace: "default" }, dat: {} },
      500,
      "failed to create typed patch object (default/one; /v1, Kind=ConfigMap): .dat: field not declared in schema",
    ],
  ])("refuses %s", async (_, body, status, message) => {
    const { send } = await withOne();
    const answer = await send("PATCH", `${ONE}?fieldManager=m`, body, {
      "content-type": "application/apply-patch+yaml",
    });
    expect(answer).toMatchObject({ status, body: { message } });
  });
});

describe("patch", () => {
  it("may not give an object another identity", async () => {
    const { send } = await withOne();
    const answer = await send(
      "PATCH",
      ONE,
      { metadata: { uid: "x" } },
      { "content-type": "application/merge-patch+json" },
    );
    expect(answer).toMatchObject({
      status: 422,
      body: { message: 'ConfigMap "one" is invalid: metadata.uid: Invalid value: "x": field is immutable' },
    });
  });

  const patches: [name: string, headers: Record<string, string>, patch: object, data: object][] = [
    ["merges", MERGE, { data: { b: "2", a: null } }, { b: "2" }],
    ["applies operations", JSON_PATCH, [{ op: "add", path: "/data/b", value: "2" }], { a: "1", b: "2" }],
    ["merges strategically", STRATEGIC, { data: { $patch: "replace", c: "3" } }, { c: "3" }],
  ];
  it.each(patches)("%s", async (_, headers, patch, data) => {
    const { send } = await withOne();
    const { status, body } = await send("PATCH", ONE, patch, headers);
    expect(status).toBe(200);
    expect(body.data).toEqual(data);
  });

  it("goes again when somebody else was faster", async () => {
    const { send } = await withOne();
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => send("PATCH", ONE, { data: { [`k${index}`]: "x" } }, MERGE)),
    );
    expect(results.every(({ status }) => status === 200)).toBe(true);
    expect(Object.keys((await send("GET", ONE)).body.data).length).toBe(11);
  });

  it("refuses a patch of a version that is gone", async () => {
    const { send } = await withOne();
    const { status } = await send("PATCH", ONE, { metadata: { resourceVersion: "99" }, data: { b: "2" } }, MERGE);
    expect(status).toBe(409);
  });

  it("makes by apply what is not there, and says who owns what is contested", async () => {
    const { send } = testServer();
    const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" }, data: { a: "1" } };
    const made = await send("PATCH", `${ONE}?fieldManager=me`, applied, APPLY);
    expect(made.status).toBe(201);
    expect(made.body.metadata.managedFields).toMatchObject([{ manager: "me", operation: "Apply" }]);
    const other = await send("PATCH", `${ONE}?fieldManager=you`, { ...applied, data: { a: "2" } }, APPLY);
    expect(other.status).toBe(409);
    expect(other.body.message).toBe('Apply failed with 1 conflict: conflict with "me": .data.a');
    const forced = await send("PATCH", `${ONE}?fieldManager=you&force=true`, { ...applied, data: { a: "2" } }, APPLY);
    expect(forced.body.data).toEqual({ a: "2" });
  });

  const applies: [name: string, url: string, body: string, status: number, message: string][] = [
    [
      "another name",
      ONE,
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: two}}",
      400,
      "the name of the object (two) does not match the name on the URL (one)",
    ],
    [
      "another namespace",
      ONE,
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: x}}",
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "the uid of something that is not there",
      `${MAPS}/two`,
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: two, uid: abc}}",
      409,
      "uid mismatch: the provided object specified uid abc, and no existing object was found",
    ],
    [
      "a key twice",
      ONE,
      "apiVersion: v1\nkind: ConfigMap\nkind: ConfigMap\n",
      400,
      'error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key "kind" already set in map',
    ],
    ["no YAML", ONE, "{", 400, "error decoding patch: error converting YAML to JSON: yaml: "],
  ];
  it.each(applies)("refuses to apply %s", async (_, url, body, status, message) => {
    const { send } = await withOne();
    const answer = await send("PATCH", `${url}?fieldManager=me&fieldValidation=Strict`, body, APPLY);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });

  it("applies a text with a key given twice where nobody is strict", async () => {
    const { send } = await withOne();
    const text = "apiVersion: v1\nkind: ConfigMap\ndata: {b: c}\ndata: {b: d}\n";
    const { body } = await send("PATCH", `${ONE}?fieldManager=me`, text, APPLY);
    expect(body.data).toEqual({ a: "1", b: "d" });
  });

  const refusals: [name: string, query: string, headers: Record<string, string>, status: number, message: string][] = [
    [
      "apply without a manager",
      "",
      APPLY,
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
    [
      "force without apply",
      "?force=true",
      MERGE,
      422,
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    ],
    [
      "an unknown kind of patch",
      "",
      { "content-type": "application/json" },
      415,
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json",
    ],
  ];
  it.each(refusals)("refuses %s", async (_, query, headers, status, message) => {
    const { send } = await withOne();
    const answer = await send("PATCH", `${ONE}${query}`, {}, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });
});
