import { describe, expect, it } from "vitest";
import { testServer } from "../testServer.ts";
import { compareVersions } from "./describedGroups.ts";
import { noCustomResources } from "./noCustomResources.ts";

const { send } = testServer();
const AGGREGATED =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
type Described = { name: string };

describe("discovery", () => {
  it("names the core versions", async () => {
    expect((await send("GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
  });

  it("names the groups, the most important first", async () => {
    const { body } = await send("GET", "/apis");
    expect(body.groups[0]).toEqual({
      name: "apps",
      versions: [{ groupVersion: "apps/v1", version: "v1" }],
      preferredVersion: { groupVersion: "apps/v1", version: "v1" },
    });
    expect((await send("GET", "/apis/apps")).body).toMatchObject({ kind: "APIGroup", name: "apps" });
  });

  it("describes resources and their parts", async () => {
    const { body } = await send("GET", "/apis/apps/v1");
    const find = (name: string) => body.resources.find((one: Described) => one.name === name);
    expect(find("deployments")).toEqual({
      name: "deployments",
      singularName: "deployment",
      namespaced: true,
      kind: "Deployment",
      verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      shortNames: ["deploy"],
      categories: ["all"],
      storageVersionHash: "8aSe+NMegvE=",
    });
    expect(find("deployments/scale")).toMatchObject({
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
      singularName: "",
    });
    expect(find("deployments/status")).toMatchObject({ kind: "Deployment", verbs: ["get", "patch", "update"] });
  });

  it("has upstream's storage version hash for pods", async () => {
    const { body } = await send("GET", "/api/v1");
    expect(body.resources.find((one: Described) => one.name === "pods").storageVersionHash).toBe("xPOwRZ+Yhw8=");
    expect(body.resources.find((one: Described) => one.name === "pods/binding").verbs).toEqual(["create"]);
    expect(body.resources.find((one: Described) => one.name === "bindings").kind).toBe("Binding");
  });

  it("gives everything in one answer to who asks for it, and nothing to who has it", async () => {
    const first = await send("GET", "/apis", undefined, { accept: AGGREGATED });
    expect(first.body).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" });
    expect(first.body.items[0]).toMatchObject({
      metadata: { name: "apps" },
      versions: [{ version: "v1", freshness: "Current" }],
    });
    const { etag } = first.headers as Record<string, string>;
    const second = await send("GET", "/apis", undefined, { accept: AGGREGATED, "if-none-match": etag as string });
    expect(second.status).toBe(304);
  });

  it("tells the version and what paths there are", async () => {
    expect((await send("GET", "/version")).body).toMatchObject({ major: "1", minor: "36" });
    expect((await send("GET", "/")).body.paths).toContain("/apis/apps/v1");
  });

  it.each(["/apis/nope", "/nope"])("knows nothing at %s", async (path) => {
    expect(await send("GET", path)).toMatchObject({ status: 404, body: "404 page not found\n" });
  });

  it.each(["/apis/apps/v9", "/api/v1/nope", "/api/v2"])(
    "says as a Status that there is nothing at %s",
    async (path) => {
      const message = "the server could not find the requested resource";
      expect(await send("GET", path)).toMatchObject({ status: 404, body: { reason: "NotFound", message } });
    },
  );

  it("says how it is", async () => {
    expect(await send("GET", "/livez")).toMatchObject({ status: 200, body: "ok" });
    const { body } = await send("GET", "/readyz?verbose&exclude=etcd");
    expect(body).toBe("[+]ping ok\n[+]etcd excluded: ok\n[+]informer-sync ok\n[+]shutdown ok\nreadyz check passed\n");
    expect((await send("GET", "/readyz/ping")).body).toBe("ok");
    const failing = { name: "bad", check: () => Promise.reject(new Error("broken")) };
    const sick = await testServer({ healthChecks: [failing] }).send("GET", "/healthz");
    expect(sick.status).toBe(500);
    expect(sick.body).toContain("[-]bad failed: reason withheld\nhealthz check failed\n");
  });

  it("puts versions in order", () => {
    const versions = ["v1beta1", "v2", "v1", "v1alpha1", "v10", "v1beta2", "foo"];
    expect(versions.toSorted(compareVersions)).toEqual(["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "foo"]);
  });
});

describe("custom resources", () => {
  const server = testServer({ routes: [noCustomResources] });
  const PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

  it("are none, which is answered so that kubectl can say that it knows no such kind", async () => {
    expect(await server.send("GET", `${PATH}?limit=500`)).toMatchObject({ status: 200, body: { items: [] } });
  });

  it.each(["POST", "DELETE"] as const)("cannot be made: %s", async (method) => {
    expect((await server.send(method, PATH, method === "POST" ? {} : undefined)).status).toBe(404);
  });

  it("are not named in discovery", async () => {
    expect((await server.send("GET", "/")).body.paths).not.toContain(PATH);
    expect(JSON.stringify((await server.send("GET", "/apis")).body)).not.toContain("apiextensions");
  });
});
