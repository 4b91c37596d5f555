import { expect, test } from "vitest";
import { goIndented, goObject, goPodSpec } from "./goObject.ts";

test("an object is printed with every field of its Go type, in Go's order", () => {
  expect(JSON.stringify(goObject("ContainerPort", { containerPort: 80, protocol: "TCP" }))).toBe(
    '{"Name":"","HostPort":0,"ContainerPort":80,"Protocol":"TCP","HostIP":""}',
  );
});

test("pointers, lists and maps that hold nothing are null, and what Go embeds stands among the rest", () => {
  expect(goObject("Probe", { exec: { command: ["a"] }, periodSeconds: 5 })).toMatchObject({
    Exec: { Command: ["a"] },
    HTTPGet: null,
    PeriodSeconds: 5,
    TimeoutSeconds: 0,
    TerminationGracePeriodSeconds: null,
  });
  expect(goObject("ResourceRequirements", { limits: { memory: "1Gi", cpu: "1" } })).toEqual({
    Limits: { cpu: "1", memory: "1Gi" },
    Requests: null,
    Claims: null,
  });
});

test("metadata is printed as in the API, among the rest", () => {
  const template = goObject("PersistentVolumeClaimTemplate", { metadata: { labels: { a: "b" } }, spec: {} });
  expect(template).toMatchObject({ labels: { a: "b" }, Spec: { AccessModes: null } });
});

test("a pod's spec keeps what concerns the host in its security context", () => {
  const spec = goPodSpec({ hostNetwork: true, securityContext: {}, containers: [{ name: "a", image: "b" }] });
  expect(spec).toMatchObject({
    SecurityContext: { HostNetwork: true, HostPID: false, HostUsers: null },
    Volumes: null,
  });
  expect(spec).not.toHaveProperty("HostNetwork");
});

test("text is escaped as Go escapes it", () => {
  expect(goIndented({ a: "<&>" })).toBe('{\n "a": "\\u003c\\u0026\\u003e"\n}');
});
