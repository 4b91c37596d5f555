import { expect, test } from "vitest";
import type { ConfigMap, Container, Secret, Service } from "../../api/generated/core-v1.ts";
import { testPod } from "../podLifecycle/testPods.ts";
import { containerEnvironment, expandCommand } from "./environment.ts";
import { expand } from "./expansion.ts";
import { fieldValue, resourceFieldValue } from "./fieldValues.ts";
import { serviceVariables } from "./serviceVariables.ts";

const meta = (name: string, namespace = "default") => ({
  name,
  namespace,
  uid: "",
  creationTimestamp: "",
  resourceVersion: "",
});

test.each([
  ["$(A)", "1"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$(B)", "$(B)"],
  ["$(A", "$(A"],
  ["$A", "$A"],
  ["a$", "a$"],
  ["$(A)-$(A)", "1-1"],
])("%s expands to %s", (text, want) => {
  expect(expand(text, (name) => (name === "A" ? "1" : undefined))).toBe(want);
});

const pod = testPod(
  { nodeName: "n1", serviceAccountName: "sa" },
  { labels: { b: "2", a: 'x"y' }, annotations: { k: "v" } },
);
const facts = { pod, podIps: ["10.0.0.1"], hostIps: ["192.168.0.2"], nodeName: "n1" };

test.each([
  ["metadata.name", "web"],
  ["metadata.namespace", "default"],
  ["metadata.uid", "u1"],
  ["metadata.labels", 'a="x\\"y"\nb="2"'],
  ["metadata.labels['b']", "2"],
  ["metadata.annotations['k']", "v"],
  ["metadata.annotations['none']", ""],
  ["spec.nodeName", "n1"],
  ["spec.serviceAccountName", "sa"],
  ["status.podIP", "10.0.0.1"],
  ["status.hostIPs", "192.168.0.2"],
])("the field %s is %s", (path, want) => {
  expect(fieldValue(facts, path)).toBe(want);
});

test.each([
  [{ resource: "limits.cpu" }, "2"],
  [{ resource: "limits.cpu", divisor: "1m" }, "1500"],
  [{ resource: "requests.cpu" }, "2"],
  [{ resource: "limits.memory", divisor: "1Mi" }, "64"],
  [{ resource: "limits.ephemeral-storage" }, "1000"],
  [{ resource: "requests.memory" }, "67108864"],
])("%j is %s", (selector, want) => {
  const container: Container = { name: "a", resources: { limits: { cpu: "1500m", memory: "64Mi" } } };
  expect(resourceFieldValue(container, selector, { "ephemeral-storage": "1000" })).toBe(want);
});

const service = (name: string, clusterIP: string, namespace = "default"): Service =>
  ({
    apiVersion: "v1",
    kind: "Service",
    metadata: meta(name, namespace),
    spec: { clusterIP, ports: [{ name: "http-web", port: 80, protocol: "TCP" }] },
    status: {},
  }) as Service;

test("a service is told of as upstream names it", () => {
  const variables = serviceVariables([service("go-api", "10.96.0.7")], "default", true);
  expect(Object.fromEntries(variables.map(({ name, value }) => [name, value]))).toEqual({
    GO_API_SERVICE_HOST: "10.96.0.7",
    GO_API_SERVICE_PORT: "80",
    GO_API_SERVICE_PORT_HTTP_WEB: "80",
    GO_API_PORT: "tcp://10.96.0.7:80",
    GO_API_PORT_80_TCP: "tcp://10.96.0.7:80",
    GO_API_PORT_80_TCP_PROTO: "tcp",
    GO_API_PORT_80_TCP_PORT: "80",
    GO_API_PORT_80_TCP_ADDR: "10.96.0.7",
  });
});

test.each([
  {
    name: "services of other namespaces are not told of",
    services: [service("a", "10.0.0.1", "other")],
    links: true,
    want: [],
  },
  { name: "headless ones neither", services: [service("a", "None")], links: true, want: [] },
  {
    name: "without links only the API server",
    services: [service("a", "10.0.0.1"), service("kubernetes", "10.96.0.1")],
    links: false,
    want: ["KUBERNETES_SERVICE_HOST"],
  },
])("$name", ({ services, links, want }) => {
  const hosts = serviceVariables(services, "default", links).filter(({ name }) => name.endsWith("SERVICE_HOST"));
  expect(hosts.map(({ name }) => name)).toEqual(want);
});

const configMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: meta("cm"),
  data: { mode: "fast", size: "3" },
} as ConfigMap;
const secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: meta("s"),
  data: { key: "cGFzcw==" },
} as unknown as Secret;

const environmentOf = (container: Partial<Container>) =>
  containerEnvironment({
    ...facts,
    container: { name: "app", ...container },
    services: [service("db", "10.96.0.9")],
    allocatable: {},
    configMap: (name) => (name === "cm" ? configMap : undefined),
    secret: (name) => (name === "s" ? secret : undefined),
  }).filter(({ name }) => !name.startsWith("DB_"));

test("later values may use earlier ones and services; env goes before envFrom", () => {
  const environment = environmentOf({
    envFrom: [{ configMapRef: { name: "cm" }, prefix: "C_" }, { secretRef: { name: "s" } }],
    env: [
      { name: "C_mode", value: "slow" },
      { name: "URL", value: "http://$(DB_SERVICE_HOST)/$(C_size)?$(key)" },
      { name: "ME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "P", valueFrom: { secretKeyRef: { name: "s", key: "key" } } },
      { name: "O", valueFrom: { configMapKeyRef: { name: "none", key: "x", optional: true } } },
    ],
  });
  expect(Object.fromEntries(environment.map(({ name, value }) => [name, value]))).toEqual({
    C_mode: "slow",
    C_size: "3",
    key: "pass",
    URL: "http://10.96.0.9/3?pass",
    ME: "web",
    P: "pass",
  });
});

test.each([
  { env: { configMapKeyRef: { name: "none", key: "k" } }, text: 'configmap "none" not found' },
  { env: { configMapKeyRef: { name: "cm", key: "k" } }, text: "couldn't find key k in ConfigMap default/cm" },
  { env: { secretKeyRef: { name: "none", key: "k" } }, text: 'secret "none" not found' },
  { env: { secretKeyRef: { name: "s", key: "k" } }, text: "couldn't find key k in Secret default/s" },
])("a reference to nothing: $text", ({ env, text }) => {
  expect(() => environmentOf({ env: [{ name: "X", valueFrom: env }] })).toThrow(text);
});

test("command and arguments are expanded", () => {
  const container = { name: "app", command: ["$(BIN)"], args: ["--x=$(X)", "$$(X)"] };
  const environment = [
    { name: "BIN", value: "/bin/a" },
    { name: "X", value: "1" },
  ];
  expect(expandCommand(container, environment)).toEqual({ command: ["/bin/a"], args: ["--x=1", "$(X)"] });
});
