import { describe, expect, test } from "vitest";
import type { Pod } from "../generated/core-v1.ts";
import { type Change, changed } from "../invalidCases.ts";
import { pod } from "./pod.ts";
import { computeQosClass } from "./podQos.ts";
import { imageTag } from "./podSpec/imageName.ts";

const CONTEXT = { nowMs: 0, subresource: "", user: { name: "tester", groups: [] } };
const BASE = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", labels: { app: "web" } },
  spec: { containers: [{ name: "a", image: "example/web" }] },
};
const C0 = "spec.containers[0]";
const made = (change: Change = {}): Pod => pod.withDefaults(changed(BASE, change) as unknown as Pod);

describe("defaults of a pod", () => {
  test("are upstream's", () => {
    expect(made().spec).toEqual({
      containers: [
        {
          name: "a",
          image: "example/web",
          imagePullPolicy: "Always",
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
        },
      ],
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      restartPolicy: "Always",
      schedulerName: "default-scheduler",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
  });

  test("a complete pod stays the same object", () => {
    const whole = made({
      [`${C0}.livenessProbe`]: { httpGet: { port: 80 } },
      [`${C0}.resources`]: { limits: { cpu: "1" } },
      "spec.volumes": [{ name: "v" }, { name: "t", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }],
    });
    expect(pod.withDefaults(whole)).toBe(whole);
  });

  test.each<[string, Change, (pod: Pod) => unknown, unknown]>([
    [
      "a probe",
      { [`${C0}.livenessProbe`]: { httpGet: { port: 80 } } },
      (one) => one.spec?.containers[0]?.livenessProbe,
      {
        httpGet: { port: 80, path: "/", scheme: "HTTP" },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
    ],
    [
      "a gRPC probe",
      { [`${C0}.readinessProbe`]: { grpc: { port: 80 } } },
      (one) => one.spec?.containers[0]?.readinessProbe?.grpc,
      { port: 80, service: "" },
    ],
    [
      "a port",
      { [`${C0}.ports`]: [{ containerPort: 80 }] },
      (one) => one.spec?.containers[0]?.ports,
      [{ containerPort: 80, protocol: "TCP" }],
    ],
    [
      "a port on the host's network",
      { "spec.hostNetwork": true, [`${C0}.ports`]: [{ containerPort: 80 }] },
      (one) => one.spec?.containers[0]?.ports,
      [{ containerPort: 80, protocol: "TCP", hostPort: 80 }],
    ],
    [
      "requests that are left out",
      { [`${C0}.resources`]: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } } },
      (one) => one.spec?.containers[0]?.resources?.requests,
      { cpu: "500m", memory: "1Gi" },
    ],
    [
      "amounts finer than a thousandth",
      { [`${C0}.resources`]: { requests: { cpu: "100u" } } },
      (one) => one.spec?.containers[0]?.resources?.requests,
      { cpu: "1m" },
    ],
    [
      "a volume without a source",
      { "spec.volumes": [{ name: "v" }] },
      (one) => one.spec?.volumes,
      [{ name: "v", emptyDir: {} }],
    ],
    [
      "a ConfigMap's mode",
      { "spec.volumes": [{ name: "v", configMap: { name: "c" } }] },
      (one) => one.spec?.volumes?.[0]?.configMap?.defaultMode,
      0o644,
    ],
    [
      "a token's life",
      { "spec.volumes": [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }] },
      (one) => one.spec?.volumes?.[0]?.projected,
      { defaultMode: 0o644, sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 3600 } }] },
    ],
    [
      "a host path's type",
      { "spec.volumes": [{ name: "v", hostPath: { path: "/" } }] },
      (one) => one.spec?.volumes?.[0]?.hostPath,
      { path: "/", type: "" },
    ],
    [
      "a field's version",
      { [`${C0}.env`]: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
      (one) => one.spec?.containers[0]?.env?.[0]?.valueFrom?.fieldRef,
      { apiVersion: "v1", fieldPath: "metadata.name" },
    ],
    ["the old name of the service account", { "spec.serviceAccountName": "s" }, (one) => one.spec?.serviceAccount, "s"],
    [
      "requests of the pod as a whole",
      { "spec.resources": { limits: { cpu: "2" } }, [`${C0}.resources`]: { requests: { cpu: "1", memory: "1Gi" } } },
      (one) => one.spec?.resources?.requests,
      { cpu: "1", memory: "1Gi" },
    ],
  ])("fill in %s", (_, change, read, expected) => {
    expect(read(made(change))).toEqual(expected);
  });

  test.each([
    ["web", "latest"],
    ["registry.example:5000/web", "latest"],
    ["web:1.2", "1.2"],
    ["registry.example:5000/a/web:v1", "v1"],
    [`web@sha256:${"a".repeat(64)}`, ""],
    [`web:1@sha256:${"a".repeat(64)}`, "1"],
    ["Web", ""],
    ["", ""],
  ])("the tag of %s is %s", (image, tag) => {
    expect(imageTag(image)).toBe(tag);
  });
});

describe("a new pod", () => {
  test.each([
    ["an address makes a list", { podIP: "10.0.0.1" }, ["10.0.0.1"]],
    ["a list makes an address", { podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] }, ["10.0.0.1", "fd00::1"]],
    ["the address holds", { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.2" }] }, ["10.0.0.1"]],
  ])("of the pod's addresses: %s", (_, status, addresses) => {
    const { podIP, podIPs } = made({ status }).status ?? {};
    expect({ podIP, podIPs }).toEqual({ podIP: "10.0.0.1", podIPs: addresses.map((ip) => ({ ip })) });
  });

  test("is given a second where it asks for less than no time to end", () => {
    expect(made({ "spec.terminationGracePeriodSeconds": -1 }).spec?.terminationGracePeriodSeconds).toBe(1);
  });

  test("is pending and has a QoS class, whatever its status was", () => {
    const draft = made({ "status.phase": "Running" });
    expect(pod.prepareForCreate(draft, CONTEXT).status).toEqual({ phase: "Pending", qosClass: "BestEffort" });
  });

  test("with scheduling gates says so", () => {
    const draft = made({ "spec.schedulingGates": [{ name: "a" }] });
    expect(pod.prepareForCreate(draft, CONTEXT).status?.conditions?.[0]).toMatchObject({
      reason: "SchedulingGated",
      lastTransitionTime: "1970-01-01T00:00:00Z",
    });
  });

  test("carries its own values of matchLabelKeys in its selectors", () => {
    const constraint = {
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { tier: "web" } },
      matchLabelKeys: ["app"],
    };
    const draft = made({ "spec.topologySpreadConstraints": [constraint] });
    const [after] = pod.prepareForCreate(draft, CONTEXT).spec?.topologySpreadConstraints ?? [];
    expect(after?.labelSelector?.matchExpressions).toEqual([{ key: "app", operator: "In", values: ["web"] }]);
  });

  test.each<[string, Change, string]>([
    ["nothing", {}, "BestEffort"],
    ["a request", { [`${C0}.resources`]: { requests: { cpu: "1" } } }, "Burstable"],
    ["equal limits of cpu and memory", { [`${C0}.resources`]: { limits: { cpu: "1", memory: "1Gi" } } }, "Guaranteed"],
    ["a limit of memory alone", { [`${C0}.resources`]: { limits: { memory: "1Gi" } } }, "Burstable"],
    ["limits of the pod as a whole", { "spec.resources": { limits: { cpu: "1", memory: "1Gi" } } }, "Guaranteed"],
  ])("with %s is of the class it asks for", (_, change, expected) => {
    expect(computeQosClass(made(change).spec ?? { containers: [] })).toBe(expected);
  });

  test.each<[string, Change, number | undefined, number]>([
    ["unscheduled", {}, 30, 0],
    ["running", { "spec.nodeName": "n" }, undefined, 30],
    ["running, when asked otherwise", { "spec.nodeName": "n" }, 5, 5],
    ["ended", { "spec.nodeName": "n", "status.phase": "Failed" }, 30, 0],
    ["asked for less than nothing", { "spec.nodeName": "n" }, -5, 1],
  ])("is given time to end: %s", (_, change, requested, expected) => {
    expect(pod.deletionGraceSeconds?.(made(change), requested)).toBe(expected);
  });
});
