import { describe, expect, test } from "vitest";
import { cellsOf } from "../cellsOf.ts";
import type { Secret } from "../generated/core-v1.ts";
import { type InvalidCase, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { NAMESPACED_CASES, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { configMap } from "./configMap.ts";
import { DATA_BYTES_MAX } from "./dataValidation.ts";
import { secret } from "./secret.ts";

const metadata = { name: "settings", namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" };
const CONFIG = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { color: "red" }, binaryData: { logo: "AAEC" } };
const SECRET = { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data: { password: "c2VjcmV0" } };
const encoded = (text: string) => Buffer.from(text).toString("base64");

const NAMES: readonly InvalidCase[] = [
  ...NAMESPACED_CASES,
  ["a name in capitals", { "metadata.name": "A" }, `metadata.name: Invalid value: "A": ${SUBDOMAIN_REASON}`],
];
const KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const LONG = "x".repeat(254);

/** Keys are held to the same in all maps. */
const keyCases = (field: string): readonly InvalidCase[] => [
  [`a ${field} key with a blank`, { [field]: { "a b": "" } }, `${field}[a b]: Invalid value: "a b": ${KEY}`],
  [`an empty ${field} key`, { [field]: { "": "" } }, `${field}[]: Invalid value: "": ${KEY}`],
  [`the ${field} key .`, { [field]: { ".": "" } }, `${field}[.]: Invalid value: ".": must not be '.'`],
  [`the ${field} key ..`, { [field]: { "..": "" } }, `${field}[..]: Invalid value: "..": must not be '..'`],
  [
    `a ${field} key that starts with ..`,
    { [field]: { "..a": "" } },
    `${field}[..a]: Invalid value: "..a": must not start with '..'`,
  ],
  [
    `a long ${field} key`,
    { [field]: { [LONG]: "" } },
    `${field}[${LONG}]: Invalid value: "${LONG}": must be no more than 253 characters`,
  ],
];

const SEALED = "Forbidden: field is immutable when `immutable` is set";

describe("config maps", () => {
  testInvalidObjects(configMap, CONFIG, [
    ...NAMES,
    ...keyCases("data"),
    ...keyCases("binaryData"),
    [
      "a key in both maps",
      { "data.logo": "x" },
      'data[logo]: Invalid value: "logo": duplicate of key present in binaryData',
    ],
    ["too much text", { data: { a: "x".repeat(DATA_BYTES_MAX) } }, "[]: Too long: may not be more than 1048576 bytes"],
    [
      "too much in both together",
      { data: { a: "é".repeat(300_000) }, binaryData: { b: Buffer.alloc(500_000).toString("base64") } },
      "[]: Too long: may not be more than 1048576 bytes",
    ],
  ]);
  testUpdates(configMap, CONFIG, [
    ["data may change", { data: { color: "blue" } }],
    ["it may be sealed", { immutable: true }],
  ]);
  testUpdates(configMap, { ...CONFIG, immutable: true }, [
    ["a sealed map may be labelled", { "metadata.labels": { a: "b" } }],
    ["a sealed map cannot be unsealed", { immutable: undefined }, `immutable: ${SEALED}`],
    ["a sealed map's text cannot change", { "data.color": "blue" }, `data: ${SEALED}`],
    ["a sealed map's bytes cannot go", { binaryData: undefined }, `binaryData: ${SEALED}`],
  ]);

  test("the table counts both maps", () => {
    expect(cellsOf(configMap, CONFIG)).toEqual({ Name: "settings", Data: 2, Age: metadata.creationTimestamp });
  });
});

const docker = (name: string, key: string): readonly InvalidCase[] => {
  const type = `kubernetes.io/${name}`;
  const wrong = (reason: string) => `data[${key}]: Invalid value: "<secret contents redacted>": ${reason}`;
  return [
    [`${name} without its key`, { type, data: {} }, `data[${key}]: Required value`],
    [`${name} of nothing`, { type, data: { [key]: "" } }, wrong("unexpected end of JSON input")],
    [
      `${name} of text`,
      { type, data: { [key]: encoded("auth") } },
      wrong("invalid character 'a' looking for beginning of value"),
    ],
    [
      `${name} of a list`,
      { type, data: { [key]: encoded("[]") } },
      wrong("json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ],
  ];
};

describe("secrets", () => {
  testInvalidObjects(secret, SECRET, [
    ...NAMES,
    ...keyCases("data"),
    ...docker("dockercfg", ".dockercfg"),
    ...docker("dockerconfigjson", ".dockerconfigjson"),
    [
      "too much data",
      { "data.a": Buffer.alloc(DATA_BYTES_MAX).toString("base64") },
      "data: Too long: may not be more than 1048576 bytes",
    ],
    [
      "a token of no account",
      { type: "kubernetes.io/service-account-token" },
      "metadata.annotations[kubernetes.io/service-account.name]: Required value",
    ],
    [
      "a login without name and password",
      { type: "kubernetes.io/basic-auth", data: {} },
      "data[username]: Required value",
      "data[password]: Required value",
    ],
    ["an SSH login without a key", { type: "kubernetes.io/ssh-auth" }, "data[ssh-privatekey]: Required value"],
    [
      "an SSH login with an empty key",
      { type: "kubernetes.io/ssh-auth", data: { "ssh-privatekey": "" } },
      "data[ssh-privatekey]: Required value",
    ],
    [
      "a pair without both halves",
      { type: "kubernetes.io/tls", data: {} },
      "data[tls.crt]: Required value",
      "data[tls.key]: Required value",
    ],
    ["a pair without its key", { type: "kubernetes.io/tls", data: { "tls.crt": "" } }, "data[tls.key]: Required value"],
  ]);
  testUpdates(secret, SECRET, [
    ["data may change", { "data.password": "" }],
    ["the type may not change", { type: "example.com/a" }, 'type: Invalid value: "example.com/a": field is immutable'],
  ]);
  testUpdates(secret, { ...SECRET, immutable: true }, [
    ["a sealed secret cannot be unsealed", { immutable: false }, `immutable: ${SEALED}`],
    ["a sealed secret cannot change", { "data.more": "" }, `data: ${SEALED}`],
  ]);
  testUpdates(secret, { ...SECRET, type: "example.com/mine" }, [
    ["leaving the type out asks for Opaque", { type: undefined }, 'type: Invalid value: "Opaque": field is immutable'],
  ]);

  const of = (change: object) => ({ ...SECRET, ...change }) as unknown as Secret;

  test("half a login is enough", () => {
    const login = { type: "kubernetes.io/basic-auth", data: { username: "" } };
    expect(secret.validate(of(login), { nowMs: 0, subresource: "", user: { name: "a", groups: [] } })).toEqual([]);
  });

  test("the type is Opaque by default, and text becomes data and wins", () => {
    const written = of({ type: undefined, stringData: { password: "new", user: "é" } });
    expect(secret.withDefaults(written)).toEqual({
      ...SECRET,
      data: { password: encoded("new"), user: encoded("é") },
    });
    expect(secret.withDefaults(of({}))).toEqual(SECRET);
  });

  test("a pair that is none is remarked on", () => {
    expect(secret.warnings(of({ type: "kubernetes.io/tls", data: { "tls.crt": "", "tls.key": "" } }))).toEqual([
      "tls: failed to find any PEM data in certificate input",
    ]);
    expect(secret.warnings(of({}))).toEqual([]);
  });

  test("the table shows the type and counts the data", () => {
    const want = { Name: "settings", Type: "Opaque", Data: 1, Age: metadata.creationTimestamp };
    expect(cellsOf(secret, SECRET)).toEqual(want);
  });
});
