import { describe, expect, it } from "vitest";
import { testServer } from "../testServer.ts";
import { defaultAdmission } from "./defaultAdmission.ts";

const PODS = "/api/v1/namespaces/default/pods";
const CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses";

async function cluster() {
  const server = testServer({ bootstrap: true, admission: defaultAdmission });
  await server.send("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  return server;
}
const pod = (spec: object = {}) => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", image: "i" }], ...spec },
});

describe("admission", () => {
  it.each([
    ["no spec", undefined],
    ["no containers", {}],
    ["null for containers", { containers: null }],
  ])("passes on a pod with %s, which validation refuses", async (_, spec) => {
    const { send } = await cluster();
    const { status, body } = await send("POST", PODS, { metadata: { name: "p" }, spec });
    expect(status).toBe(422);
    expect(body.message).toBe('Pod "p" is invalid: spec.containers: Required value');
  });

  it.each([
    ["a new node", undefined, ["not-ready:NoSchedule"]],
    ["with a taint of its own", [{ key: "own", effect: "NoExecute" }], ["own:NoExecute", "not-ready:NoSchedule"]],
    ["that says it itself", [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }], ["not-ready:NoSchedule"]],
  ])("keeps pods from %s until it is known to be ready", async (_, taints, expected) => {
    const { send } = await cluster();
    const { body } = await send("POST", "/api/v1/nodes", { metadata: { name: "n" }, spec: { taints } });
    const shown = ({ key, effect }: { key: string; effect: string }) => `${key.split("/").at(-1)}:${effect}`;
    expect(body.spec.taints.map(shown)).toEqual(expected);
    // Only at its creation.
    const { body: updated } = await send("PUT", "/api/v1/nodes/n", { ...body, spec: {} });
    expect(updated.spec.taints).toBeUndefined();
  });

  it("gives a pod its account, token, tolerations and priority", async () => {
    const { send } = await cluster();
    const { body } = await send("POST", PODS, pod());
    expect(body.spec).toMatchObject({ serviceAccountName: "default", serviceAccount: "default", priority: 0 });
    expect(body.spec.preemptionPolicy).toBe("PreemptLowerPriority");
    const [volume] = body.spec.volumes;
    expect(volume.name).toMatch(/^kube-api-access-\w{5}$/);
    expect(volume.projected.sources[0]).toEqual({ serviceAccountToken: { path: "token", expirationSeconds: 3607 } });
    expect(body.spec.containers[0].volumeMounts).toEqual([
      { name: volume.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ]);
    expect(body.spec.tolerations).toEqual([
      { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
      { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    ]);
  });

  it.each([
    ["the pod", { automountServiceAccountToken: false }],
    [
      "its own mount",
      {
        volumes: [{ name: "v", emptyDir: {} }],
        containers: [
          {
            name: "c",
            image: "i",
            volumeMounts: [{ name: "v", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }],
          },
        ],
      },
    ],
  ])("mounts no token against the will of %s", async (_, spec) => {
    const { send } = await cluster();
    const { body } = await send("POST", PODS, pod(spec));
    expect((body.spec.volumes ?? []).filter(({ name }: { name: string }) => name.startsWith("kube-api"))).toEqual([]);
  });

  it("adds no toleration where one is there", async () => {
    const { send } = await cluster();
    const { body } = await send("POST", PODS, pod({ tolerations: [{ operator: "Exists" }] }));
    expect(body.spec.tolerations).toEqual([{ operator: "Exists" }]);
  });

  it("turns the name of a class into a number", async () => {
    const { send } = await cluster();
    const { body } = await send("POST", PODS, pod({ priorityClassName: "system-node-critical" }));
    expect(body.spec.priority).toBe(2_000_001_000);
  });

  it("takes the default class, of which there is one", async () => {
    const { send } = await cluster();
    await send("POST", CLASSES, { metadata: { name: "usual" }, value: 7, globalDefault: true });
    const { body } = await send("POST", PODS, pod());
    expect(body.spec).toMatchObject({ priorityClassName: "usual", priority: 7 });
    const second = await send("POST", CLASSES, { metadata: { name: "other" }, value: 8, globalDefault: true });
    expect(second.body.message).toBe(
      'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    );
  });

  it("speaks of a pod whose name is still to be made by what it will begin with", async () => {
    const { send } = await cluster();
    const draft = { ...pod({ serviceAccountName: "x" }), metadata: { generateName: "web-7d4c776c67-" } };
    const { status, body } = await send("POST", PODS, draft);
    expect([status, body.message]).toEqual([
      403,
      'pods "web-7d4c776c67-" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
    ]);
  });

  const refusals: [name: string, spec: object, message: string][] = [
    ["an unknown class", { priorityClassName: "x" }, 'pods "p" is forbidden: no PriorityClass with name x was found'],
    [
      "a priority of its own",
      { priority: 5 },
      'pods "p" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    ],
    [
      "an unknown account",
      { serviceAccountName: "x" },
      'pods "p" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
    ],
  ];
  it.each(refusals)("refuses %s", async (_, spec, message) => {
    const { send } = await cluster();
    expect((await send("POST", PODS, pod(spec))).body.message).toBe(message);
  });

  it("waits a moment for the default account of a new namespace", async () => {
    const { send, clock } = await cluster();
    await send("POST", "/api/v1/namespaces", { metadata: { name: "x" } });
    const created = send("POST", "/api/v1/namespaces/x/pods", pod());
    await clock.advance(150);
    await send("POST", "/api/v1/namespaces/x/serviceaccounts", { metadata: { name: "default" } });
    await clock.advance(500);
    expect((await created).status).toBe(201);
  });

  it("lets nothing into a namespace that is not there, or is going", async () => {
    const { send } = await cluster();
    const missing = await send("POST", "/api/v1/namespaces/x/configmaps", { metadata: { name: "a" } });
    expect(missing).toMatchObject({ status: 404, body: { message: 'namespaces "x" not found' } });
    await send("POST", "/api/v1/namespaces", { metadata: { name: "x" } });
    await send("DELETE", "/api/v1/namespaces/x");
    const going = await send("POST", "/api/v1/namespaces/x/configmaps", { metadata: { name: "a" } });
    expect(going.status).toBe(403);
    expect(going.body.message).toBe(
      'configmaps "a" is forbidden: unable to create new content in namespace x because it is being terminated',
    );
    expect(going.body.details.causes).toEqual([
      { reason: "NamespaceTerminating", message: "namespace x is being terminated", field: "metadata.namespace" },
    ]);
  });

  it("keeps the namespaces that every cluster has", async () => {
    const { send } = await cluster();
    const { status, body } = await send("DELETE", "/api/v1/namespaces/default");
    expect(status).toBe(403);
    expect(body.message).toBe('namespaces "default" is forbidden: this namespace may not be deleted');
  });

  it("lets static pods be without an account", async () => {
    const { send } = await cluster();
    const mirror = {
      ...pod({ nodeName: "n" }),
      metadata: { name: "m", annotations: { "kubernetes.io/config.mirror": "x" } },
    };
    const { status, body } = await send("POST", PODS, mirror);
    expect(status).toBe(201);
    expect(body.spec.serviceAccountName).toBeUndefined();
  });
});
