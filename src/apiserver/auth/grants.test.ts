import { expect, it } from "vitest";
import { testServer } from "../testServer.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const apiGroup = "rbac.authorization.k8s.io";
const eve = { name: "eve", groups: ["devs"] };
const rule = (resource: string, ...verbs: string[]) => ({ apiGroups: [""], resources: [resource], verbs });
const roleRef = (kind: string, name: string) => ({ apiGroup, kind, name });

/** Eve may write all of RBAC in `default`, and read pods and the log of `web`. */
async function server(...more: object[]) {
  const made = testServer({ bootstrap: true });
  const rules = [
    { apiGroups: [apiGroup], resources: ["*"], verbs: ["get", "create", "update", "patch"] },
    rule("pods", "get", "list"),
    { ...rule("pods/log", "get"), resourceNames: ["web"] },
    ...more,
  ];
  await made.send("POST", `${RBAC}/namespaces/default/roles`, { metadata: { name: "own" }, rules });
  const subjects = [{ kind: "User", name: "eve", apiGroup }];
  const binding = { metadata: { name: "own" }, roleRef: roleRef("Role", "own"), subjects };
  await made.send("POST", `${RBAC}/namespaces/default/rolebindings`, binding);
  await made.reader.fresh();
  const post = (plural: string, body: object) =>
    made.handle({ method: "POST", path: `${RBAC}/namespaces/default/${plural}`, body }, eve);
  return { ...made, post };
}

const held = (missing: string) =>
  `user "eve" (groups=["devs"]) is attempting to grant RBAC permissions not currently held:\n${missing}`;

it.each([
  ["what he may himself", [rule("pods", "get")], undefined],
  [
    "more verbs",
    [rule("pods", "get", "watch", "delete")],
    '{APIGroups:[""], Resources:["pods"], Verbs:["watch" "delete"]}',
  ],
  ["every verb", [rule("pods", "*")], '{APIGroups:[""], Resources:["pods"], Verbs:["*"]}'],
  ["something else", [rule("secrets", "get")], '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'],
  ["one name of what he may for one name", [{ ...rule("pods/log", "get"), resourceNames: ["web"] }], undefined],
  ["all names of it", [rule("pods/log", "get")], '{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}'],
  [
    "several things",
    [rule("secrets", "get"), rule("nodes", "list")],
    '{APIGroups:[""], Resources:["nodes"], Verbs:["list"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  ],
])("who makes a role grants %s", async (_, rules, missing) => {
  const { post } = await server();
  const response = await post("roles", { metadata: { name: "new" }, rules });
  if (missing === undefined) return expect(response.status).toBe(201);
  const message = `roles.rbac.authorization.k8s.io "new" is forbidden: ${held(missing)}`;
  expect(response).toMatchObject({ status: 403, object: { message } });
});

it.each([
  ["a role whose rights he has", roleRef("Role", "own"), 201, undefined],
  ["a role that there is not", roleRef("Role", "none"), 404, 'roles.rbac.authorization.k8s.io "none" not found'],
  ["a stronger role", roleRef("ClusterRole", "cluster-admin"), 403, 'APIGroups:["*"], Resources:["*"], Verbs:["*"]'],
  ["no role at all", undefined, 422, "roleRef.name: Required value"],
])("who binds %s is answered so", async (_, ref, status, message) => {
  const { post } = await server();
  const response = await post("rolebindings", { metadata: { name: "new" }, roleRef: ref, subjects: [] });
  expect(response.status).toBe(status);
  if (message !== undefined) expect(response).toMatchObject({ object: { message: expect.stringContaining(message) } });
});

it.each([
  ["escalate", "roles", { rules: [rule("secrets", "get")] }],
  ["bind", "rolebindings", { roleRef: roleRef("ClusterRole", "cluster-admin") }],
])("who may %s writes %s as he likes", async (verb, plural, fields) => {
  const { post } = await server({ apiGroups: [apiGroup], resources: ["*"], verbs: [verb] });
  expect((await post(plural, { metadata: { name: "new" }, ...fields })).status).toBe(201);
});

it("an update that leaves a strong role as it is, but for its finalizers, is nobody's grant", async () => {
  const { handle, send, reader } = await server();
  const path = `${RBAC}/namespaces/default/roles/strong`;
  await send("POST", `${RBAC}/namespaces/default/roles`, {
    metadata: { name: "strong" },
    rules: [rule("secrets", "get")],
  });
  await reader.fresh();
  const headers = { "content-type": "application/merge-patch+json" };
  const patch = (metadata: object) => handle({ method: "PATCH", path, headers, body: { metadata } }, eve);
  expect((await patch({ finalizers: ["a.b/c"] })).status).toBe(200);
  expect((await patch({ labels: { a: "b" } })).status).toBe(403);
});
