import { expect, test } from "vitest";
import { warningHeader } from "./output/warningHeader.ts";
import { testServer } from "./testServer.ts";

const DEPRECATED = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';

async function serverWithNamespace() {
  const server = testServer();
  await server.send("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "apps" } });
  return server;
}

test("every answer about a kind that is to go says so", async () => {
  const { send } = await serverWithNamespace();
  const path = "/api/v1/namespaces/apps/endpoints";
  const created = await send("POST", path, { apiVersion: "v1", kind: "Endpoints", metadata: { name: "web" } });
  expect(created).toMatchObject({ status: 201, headers: { warning: DEPRECATED } });
  expect((await send("GET", path)).headers).toMatchObject({ warning: DEPRECATED });
  expect((await send("GET", `${path}/none`)).headers).toMatchObject({ warning: DEPRECATED });
  expect((await send("GET", `${path}?watch=true`)).headers).toMatchObject({ warning: DEPRECATED });
  expect((await send("GET", "/api/v1/namespaces/apps/pods")).headers).not.toHaveProperty("warning");
});

test("an update is remarked on for what is new in it", async () => {
  const { send } = await serverWithNamespace();
  const path = "/api/v1/namespaces/apps/serviceaccounts";
  const account = (mountable: string) => ({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "builder", annotations: { "kubernetes.io/enforce-mountable-secrets": mountable } },
  });
  const first = await send("POST", path, account("true"));
  expect(first.headers).toMatchObject({ warning: expect.stringContaining("deprecated in v1.32+") });
  const second = await send("PUT", `${path}/builder`, account("false"));
  expect(second.status).toBe(200);
  expect(second.headers).not.toHaveProperty("warning");
});

test("a template is remarked on again when anything of the spec changes", async () => {
  const { send } = await serverWithNamespace();
  for (const kind of ["Deployment", "ReplicaSet", "DaemonSet"]) {
    const path = `/apis/apps/v1/namespaces/apps/${kind.toLowerCase()}s`;
    const spec = { nodeSelector: { "beta.kubernetes.io/os": "linux" }, containers: [{ name: "a", image: "b" }] };
    const template = { metadata: { labels: { a: "b", v: "1" } }, spec };
    const draft = { metadata: { name: "web" }, spec: { selector: { matchLabels: { a: "b" } }, template } };
    const { body: made } = await send("POST", path, draft);
    const changed = structuredClone(made);
    changed.spec.template.metadata.labels.v = "2";
    const remark = { warning: expect.stringContaining("spec.template.spec.nodeSelector[beta.kubernetes.io/os]") };
    expect((await send("PUT", `${path}/web`, changed)).headers).toMatchObject(remark);
    expect(
      (await send("PUT", `${path}/web`, { ...changed, metadata: { name: "web", labels: { x: "y" } } })).headers,
    ).not.toHaveProperty("warning");
  }
});

test.each([
  ["nothing is said of nothing", [], undefined],
  ["what is said twice is sent once", ["a", "b", "a"], '299 - "a", 299 - "b"'],
  ["quotes are escaped", ['unknown field "x\\y"'], String.raw`299 - "unknown field \"x\\y\""`],
  ["other letters go out as UTF-8", ["ё"], '299 - "Ñ\u0091"'],
  ["lines are not sent", ["a\nb", "c"], '299 - "c"'],
  [
    "long ones are cut when they are too many",
    ["x".repeat(4000), "y".repeat(97)],
    `299 - "${"x".repeat(256)}", 299 - "${"y".repeat(97)}"`,
  ],
])("in a Warning header %s", (_, warnings, want) => {
  expect(warningHeader(warnings)).toBe(want);
});
