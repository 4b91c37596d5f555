import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { testServer } from "./testServer.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

describe("methods", () => {
  it.each([
    ["HEAD", MAPS],
    ["HEAD", `${MAPS}/one`],
    ["OPTIONS", MAPS],
    ["PUT", MAPS],
    ["POST", `${MAPS}/one`],
    ["POST", "/version"],
    ["DELETE", "/api"],
    ["PUT", "/apis/apps/v1"],
  ] as const)("%s of %s is not allowed", async (method, path) => {
    const { send } = testServer();
    expect(await send(method, path)).toMatchObject({
      status: 405,
      body: {
        reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource",
        details: {},
      },
    });
  });

  it("are all the same to probes", async () => {
    const { send, ready } = testServer();
    await ready;
    expect(await send("POST", "/healthz")).toMatchObject({ status: 200, body: "ok" });
  });

  it("do not matter where there is nothing", async () => {
    const { send } = testServer();
    expect((await send("HEAD", "/api/v1/nothing")).status).toBe(404);
  });
});

describe("the time that a request asks for", () => {
  it("is how long it is worked on", async () => {
    const server = testServer();
    const answer = server.send("GET", `${MAPS}?resourceVersion=99&timeout=2s`);
    await server.clock.advance(2_000);
    expect(await answer).toMatchObject({
      status: 504,
      body: { message: "Timeout: request did not complete within the allotted timeout", reason: "Timeout" },
    });
  });

  it("is refused when it is no duration, but in a watch, which has another", async () => {
    const { send } = testServer();
    expect(await send("GET", `${MAPS}?timeout=abc`)).toMatchObject({
      status: 400,
      body: { message: 'invalid timeout specified in the request URL - time: invalid duration "abc"' },
    });
    expect((await send("GET", `${MAPS}?watch=1&timeout=abc`)).status).toBe(200);
  });
});

describe("a revision that is no number", () => {
  const fault = 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax';

  it.each([
    ["a list is refused", MAPS, "resourceVersion=x", 400, `invalid resource version: ${fault}`],
    ["a get fails", `${MAPS}/one`, "resourceVersion=x", 500, fault],
    ["a watch fails", MAPS, "watch=1&resourceVersion=x", 500, fault],
  ])("%s", async (_, path, query, status, message) => {
    const { send } = testServer();
    expect(await send("GET", `${path}?${query}`)).toMatchObject({ status, body: { message, code: status } });
  });
});

it("a watch is no YAML", async () => {
  const { send } = testServer();
  const message =
    "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
  const { status, bytes } = await send("GET", `${MAPS}?watch=1`, undefined, { accept: "application/yaml" });
  expect(status).toBe(406);
  expect(parse(`${bytes}`)).toMatchObject({ reason: "NotAcceptable", message });
});

it("YAML that gives a key twice is refused by who reads it strictly", async () => {
  const { send } = testServer();
  const yaml = { "content-type": "application/yaml" };
  const body = "metadata:\n  name: u\ndata:\n  a: b\n  a: c\nfoo: 1\n";
  const strict = await send("POST", `${MAPS}?fieldValidation=Strict`, body, yaml);
  expect(strict).toMatchObject({ status: 400 });
  expect(strict.body.message).toContain(
    'strict decoding error: yaml: unmarshal errors:\n  line 5: key "a" already set in map, unknown field "foo"',
  );
  const warning = '299 - "line 5: key \\"a\\" already set in map", 299 - "unknown field \\"foo\\""';
  expect(await send("POST", MAPS, body, yaml)).toMatchObject({
    status: 201,
    headers: { warning },
    body: { data: { a: "c" } },
  });
  const applied = "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: b\n  a: c\n";
  expect(
    await send("PATCH", `${MAPS}/v?fieldManager=m`, applied, { "content-type": "application/apply-patch+yaml" }),
  ).toMatchObject({ status: 201, headers: { warning: '299 - "line 5: key \\"a\\" already set in map"' } });
});
