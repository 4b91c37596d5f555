import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { directTransport } from "../../client/transports/direct.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import { createSigningKey, createTokenSigner } from "../../pki/serviceAccountTokens.ts";
import { testServer } from "../testServer.ts";
import { anonymousUser, createAuthenticator } from "./authenticators.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const bob: UserInfo = { name: "bob", groups: ["devs", "system:authenticated"] };
const node: UserInfo = { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };
type Method = "GET" | "POST" | "PUT" | "DELETE";

async function answer(
  server: ReturnType<typeof testServer>,
  user: UserInfo,
  method: Method,
  path: string,
  body?: object,
) {
  try {
    const transport = directTransport(server.handle, user);
    return (await transport.request({ method, path, ...(body && { body }) })).body as Record<string, unknown>;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("authorisation", () => {
  const refusals: [user: UserInfo, method: Method, path: string, message: string][] = [
    [
      bob,
      "GET",
      "/api/v1/namespaces/default/pods",
      'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      bob,
      "GET",
      "/api/v1/nodes",
      'nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope',
    ],
    [
      bob,
      "GET",
      "/apis/apps/v1/namespaces/x/deployments/d/scale",
      'deployments.apps "d" is forbidden: User "bob" cannot get resource "deployments/scale" in API group "apps" in the namespace "x"',
    ],
    [bob, "GET", "/metrics", 'forbidden: User "bob" cannot get path "/metrics"'],
    [anonymousUser, "GET", "/api", 'forbidden: User "system:anonymous" cannot get path "/api"'],
    [
      node,
      "DELETE",
      "/api/v1/nodes/n2",
      `nodes "n2" is forbidden: User "system:node:n1" cannot delete resource "nodes" in API group "" at the cluster scope: node 'n1' is not allowed to modify node 'n2'`,
    ],
    [
      node,
      "GET",
      "/api/v1/namespaces/default/secrets/s",
      `secrets "s" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node 'n1' and this object`,
    ],
  ];
  it.each(refusals)("refuses %o %s %s", async (user, method, path, message) => {
    expect(await answer(testServer({ bootstrap: true }), user, method, path)).toBe(message);
  });

  it("lets roles allow what they say, by group, by name of an object, and in one namespace", async () => {
    const server = testServer({ bootstrap: true });
    const rules = [
      { apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"], verbs: ["get", "update"] },
      { apiGroups: [""], resources: ["configmaps"], verbs: ["create"] },
    ];
    await server.send("POST", `${RBAC}/namespaces/default/roles`, { metadata: { name: "r" }, rules });
    await server.send("POST", `${RBAC}/namespaces/default/rolebindings`, {
      metadata: { name: "b" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
      subjects: [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "devs" }],
    });
    expect(await answer(server, bob, "POST", MAPS, { metadata: { name: "mine" } })).toMatchObject({
      kind: "ConfigMap",
    });
    expect(await answer(server, bob, "GET", `${MAPS}/mine`)).toMatchObject({ kind: "ConfigMap" });
    expect(await answer(server, bob, "GET", `${MAPS}/yours`)).toContain("cannot get");
    expect(await answer(server, bob, "POST", "/api/v1/namespaces/x/configmaps", {})).toContain("cannot create");
  });

  it("lets a node read what its pods name", async () => {
    const server = testServer();
    await server.send("POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "s" } });
    const volumes = [{ name: "v", secret: { secretName: "s" } }];
    const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }], volumes };
    await server.send("POST", "/api/v1/namespaces/default/pods", { metadata: { name: "p" }, spec });
    expect(await answer(server, node, "GET", "/api/v1/namespaces/default/secrets/s")).toMatchObject({ kind: "Secret" });
  });

  it("says who may do what, and who one is", async () => {
    const server = testServer({ bootstrap: true });
    const resourceAttributes = { verb: "list", resource: "pods", namespace: "default" };
    const ask = (user: UserInfo) =>
      answer(server, user, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        spec: { resourceAttributes },
      });
    expect(await ask(bob)).toMatchObject({ status: { allowed: false } });
    expect(await ask({ ...bob, groups: ["system:masters"] })).toMatchObject({ status: { allowed: true } });
    const who = await answer(server, bob, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {});
    expect(who).toMatchObject({
      metadata: { creationTimestamp: "2026-01-01T00:00:00Z" },
      status: { userInfo: { username: "bob", groups: bob.groups } },
    });
    expect(await ask(bob)).toHaveProperty("metadata", {});
  });

  it("lets those who may act as others", async () => {
    const { send } = testServer({ bootstrap: true });
    const { status, body } = await send("GET", MAPS, undefined, { "impersonate-user": "bob" });
    expect(status).toBe(403);
    expect(body.message).toContain('User "bob" cannot list');
  });
});

it.each(["constructor", "__proto__", "toString"])("a user may be called %s, and may do nothing", async (name) => {
  const { handle } = testServer();
  expect(await handle({ method: "GET", path: MAPS }, { name, groups: [] })).toMatchObject({ status: 403 });
});

describe("who may patch and update only", () => {
  it.each([
    ["PATCH", MAPS, "configmaps", { "content-type": "application/apply-patch+yaml" }],
    ["PUT", "/api/v1/namespaces/default/endpoints", "endpoints", {}],
  ] as const)("makes nothing by %s to %s", async (method, path, resource, headers) => {
    const { handle, send, reader } = testServer({ bootstrap: true });
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    const rules = [{ verbs: ["patch", "update"], apiGroups: ["*"], resources: ["*"] }];
    await send("POST", `${rbac}/roles`, { metadata: { name: "r" }, rules });
    const apiGroup = "rbac.authorization.k8s.io";
    const subjects = [{ kind: "User", name: "eve", apiGroup }];
    await send("POST", `${rbac}/rolebindings`, {
      metadata: { name: "r" },
      roleRef: { kind: "Role", name: "r", apiGroup },
      subjects,
    });
    await reader.fresh();
    const kind = { apiVersion: "v1", kind: resource === "endpoints" ? "Endpoints" : "ConfigMap" };
    const apply = (sender: UserInfo) =>
      handle(
        {
          method,
          path: `${path}/new`,
          query: new URLSearchParams("fieldManager=m"),
          headers,
          body: { ...kind, metadata: { name: "new" } },
        },
        sender,
      );
    const eve = { name: "eve", groups: [] };
    expect(await apply(eve)).toMatchObject({
      status: 403,
      object: { message: expect.stringContaining(`User "eve" cannot create resource "${resource}"`) },
    });
    expect(await apply({ ...eve, groups: ["system:masters"] })).toMatchObject({ status: 201 });
    expect(await apply(eve)).toMatchObject({ status: 200 });
  });
});

describe("impersonation", () => {
  const SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

  it("takes over groups, uid and extra values", async () => {
    const { send } = testServer({ bootstrap: true });
    const headers = {
      "impersonate-user": "bob",
      "impersonate-group": "g1, g2",
      "impersonate-uid": "u",
      "impersonate-extra-example.org%2fscopes": "a, b",
    };
    const { body } = await send("POST", SELF, {}, headers);
    expect(body.status.userInfo).toEqual({
      username: "bob",
      groups: ["g1", "g2", "system:authenticated"],
      uid: "u",
      extra: { "example.org/scopes": ["a", "b"] },
    });
  });

  const allow = async (server: ReturnType<typeof testServer>, rules: readonly object[]) => {
    const subject = { kind: "User", name: "eve", apiGroup: "rbac.authorization.k8s.io" };
    const roleRef = { kind: "ClusterRole", name: "as", apiGroup: "rbac.authorization.k8s.io" };
    const { send } = server;
    await send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", { metadata: { name: "as" }, rules });
    const binding = { metadata: { name: "as" }, roleRef, subjects: [subject] };
    await send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding);
    await server.reader.fresh();
  };
  const users = { verbs: ["impersonate"], apiGroups: [""], resources: ["users"] };
  const on = (verb: string) => ({ verbs: [`impersonate-on:${verb}`], apiGroups: [""], resources: ["pods"] });
  const as = (mode: string, resource: string) => ({
    verbs: [`impersonate:${mode}`],
    apiGroups: ["authentication.k8s.io"],
    resources: [resource],
  });
  const bare = { "impersonate-user": "bob" };
  const pods = 'resource "pods" in API group "" in the namespace "default"';

  it.each([
    ["nothing", [], bare, `User "eve" cannot impersonate-on:user-info:list ${pods}`],
    ["users, whoever they are", [users], bare, `User "bob" cannot list ${pods}`],
    [
      "users without a uid",
      [users],
      { ...bare, "impersonate-uid": "u" },
      `User "eve" cannot impersonate-on:user-info:list ${pods}`,
    ],
    [
      "lists of others' pods",
      [on("user-info:list")],
      bare,
      'users.authentication.k8s.io "bob" is forbidden: User "eve" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
    ],
    ["lists as users", [on("user-info:list"), as("user-info", "users")], bare, `User "bob" cannot list ${pods}`],
    [
      "lists as users and groups",
      [on("user-info:list"), as("user-info", "users"), as("user-info", "groups")],
      { ...bare, "impersonate-group": "system:masters" },
      "impersonating the system:masters group is not allowed",
    ],
    [
      "lists as accounts",
      [on("serviceaccount:list"), as("serviceaccount", "serviceaccounts")],
      { "impersonate-user": "system:serviceaccount:a:b" },
      `User "system:serviceaccount:a:b" cannot list ${pods}`,
    ],
    [
      "gets as accounts",
      [on("serviceaccount:get"), as("serviceaccount", "serviceaccounts")],
      { "impersonate-user": "system:serviceaccount:a:b" },
      `User "eve" cannot impersonate-on:serviceaccount:list ${pods}`,
    ],
  ])("who may impersonate %s", async (_, rules, headers, message) => {
    const server = testServer({ bootstrap: true });
    await allow(server, rules);
    const request = { method: "GET", path: "/api/v1/namespaces/default/pods", headers } as const;
    const response = await server.handle(request, { name: "eve", groups: [] });
    expect(response).toMatchObject({ status: 403, object: { message: expect.stringContaining(message) } });
  });

  it("as a node makes a node of a user", async () => {
    const server = testServer({ bootstrap: true });
    const review = { verbs: ["impersonate-on:arbitrary-node:create"], apiGroups: ["*"], resources: ["*"] };
    await allow(server, [review, as("arbitrary-node", "nodes")]);
    const headers = { "impersonate-user": "system:node:n1" };
    const response = await server.handle(
      { method: "POST", path: SELF, headers, body: {} },
      { name: "eve", groups: [] },
    );
    const userInfo = { username: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };
    expect(response).toMatchObject({ status: 201, object: { status: { userInfo } } });
  });

  it.each([
    [{ "impersonate-group": "g" }, 'Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)'],
    [{ "impersonate-uid": "u" }, 'Name:"", UID:"u", Groups:[]string(nil), Extra:map[string][]string(nil)'],
    [{ "impersonate-extra-a": "b" }, 'Groups:[]string(nil), Extra:map[string][]string{"a":[]string{"b"}}'],
  ])("of nobody in particular is refused: %o", async (headers, shown) => {
    const { send } = testServer();
    const { status, body } = await send("GET", MAPS, undefined, headers as Record<string, string>);
    expect(status).toBe(400);
    expect(body.message).toMatch(/^requested &user\.DefaultInfo\{.*\} without impersonating a user name$/);
    expect(body.message).toContain(shown);
  });
});

describe("authentication", () => {
  const signingKey = createSigningKey();

  async function withAccount() {
    const clockless = testServer();
    const tokenSigner = createTokenSigner(clockless.env, { issuer: "https://issuer", signingKey });
    const server = testServer({ tokenSigner });
    await server.send("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "sa" } });
    const { status, body } = await server.send("POST", "/api/v1/namespaces/default/serviceaccounts/sa/token", {
      spec: {},
    });
    const verifyToken = async (token: string) => server.tokens?.verify(token);
    return { ...server, status, body, authenticate: createAuthenticator({ verifyToken }) };
  }

  it("takes a certificate's subject for the user", async () => {
    const certificate = { commonName: "bob", organizations: ["devs"], sha256: "c0ffee" };
    const extra = { "authentication.kubernetes.io/credential-id": ["X509SHA256=c0ffee"] };
    expect(await createAuthenticator({})({ certificate })).toEqual({ ...bob, extra });
  });

  it("takes a certificate without a name for nobody's", async () => {
    const certificate = { commonName: "", organizations: ["devs"], sha256: "" };
    expect(await createAuthenticator({})({ certificate })).toBe(anonymousUser);
  });

  it("takes nobody for anonymous, and refuses a token that it does not know", async () => {
    expect(await createAuthenticator({})({})).toBe(anonymousUser);
    await expect(createAuthenticator({})({ authorization: "Bearer x" })).rejects.toThrow("Unauthorized");
    expect(() => createAuthenticator({})({ isCertificateBad: true })).toThrow("Unauthorized");
  });

  it("issues tokens, and knows them as long as the account exists", async () => {
    const { status, body, authenticate, send } = await withAccount();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      kind: "TokenRequest",
      spec: { audiences: ["https://issuer"], expirationSeconds: 3600 },
    });
    expect(body.status.expirationTimestamp).toBe("2026-01-01T01:00:00Z");
    const authorization = `Bearer ${body.status.token}`;
    expect(await authenticate({ authorization })).toMatchObject({
      name: "system:serviceaccount:default:sa",
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    });
    const review = await send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
      spec: { token: body.status.token },
    });
    expect(review.body.status).toMatchObject({
      authenticated: true,
      user: { username: "system:serviceaccount:default:sa" },
    });
    await send("DELETE", "/api/v1/namespaces/default/serviceaccounts/sa");
    await expect(authenticate({ authorization })).rejects.toThrow("Unauthorized");
  });

  it("tells others how to check its tokens", async () => {
    const { send, body } = await withAccount();
    const configuration = await send("GET", "/.well-known/openid-configuration");
    expect(configuration.body).toMatchObject({ issuer: "https://issuer", response_types_supported: ["id_token"] });
    const keySet = await send("GET", new URL(configuration.body.jwks_uri).pathname);
    expect(keySet.contentType).toBe("application/jwk-set+json");
    const keys = createLocalJWKSet(JSON.parse(`${keySet.bytes}`));
    const { payload } = await jwtVerify(body.status.token, keys, { currentDate: new Date(Date.UTC(2026, 0, 1)) });
    expect(payload).toMatchObject({ iss: configuration.body.issuer, sub: "system:serviceaccount:default:sa" });
  });

  it("has no issuer where nobody signs tokens", async () => {
    expect((await testServer().send("GET", "/.well-known/openid-configuration")).status).toBe(404);
  });

  it.each([
    [{ expirationSeconds: 60 }, 422, "may not specify a duration less than 10 minutes"],
    [{ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } }, 404, 'pods "p" not found'],
    [
      { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "other" } },
      400,
      'cannot bind token for serviceaccount "sa" to pod running with different serviceaccount name.',
    ],
  ])("refuses a token for %o", async (spec, status, message) => {
    const { send } = await withAccount();
    const pod = { serviceAccountName: "default", containers: [{ name: "c", image: "i" }] };
    await send("POST", "/api/v1/namespaces/default/pods", { metadata: { name: "other" }, spec: pod });
    const answer = await send("POST", "/api/v1/namespaces/default/serviceaccounts/sa/token", { spec });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });
});
