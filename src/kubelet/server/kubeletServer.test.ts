import { createServer, request } from "node:http";
import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { pod as podKind } from "../../api/index.ts";
import { testKubelet } from "../testKubelet.ts";

async function setUp() {
  const made = await testKubelet();
  const { kubelet, create, clock } = made;
  await create({
    name: "web",
    annotations: { "simulated.skiff.dev/logs": "a\nb", "simulated.skiff.dev/stop-delay": "20s" },
  });
  await create({ name: "typo", spec: { containers: [{ name: "app", image: "web:does-not-exist" }] } });
  await clock.advance(0);
  const server = createServer((incoming, response) => kubelet.server.handle(incoming, response));
  server.on("upgrade", (incoming, socket, head) => kubelet.server.upgrade(incoming, socket, head));
  const get = (path: string, headers = {}) =>
    new Promise<string>((resolve, reject) => {
      const [ours, theirs] = duplexPair();
      server.emit("connection", theirs);
      const outgoing = request({ path, headers: { host: "kubelet", ...headers }, createConnection: () => ours });
      outgoing.on("error", reject);
      outgoing.on("response", async (response) => {
        let body = "";
        for await (const chunk of response) body += chunk;
        ours.destroy();
        resolve(`${response.statusCode} ${body}`);
      });
      outgoing.end();
    });
  return { ...made, get };
}

test.each([
  ["/healthz", "200 ok"],
  ["/containerLogs/default/web/app", "200 a\nb\n"],
  ["/containerLogs/default/web/app?tailLines=1", "200 b\n"],
  ["/containerLogs/default/web/app?tailLines=x", "400 invalid tailLines: x"],
  ["/containerLogs/default/web/app?previous=true", '400 previous terminated container "app" in pod "web" not found'],
  ["/containerLogs/default/none/app", '404 pods "none" not found'],
  ["/containerLogs/default/web/none", '400 container "none" in pod "web" is not available'],
  ["/containerLogs/default/typo/app", `400 container "app" in pod "typo" is waiting to start: image can't be pulled`],
  ["/nothing", "404 404 page not found\n"],
  ["/%zz", '400 "/%zz" is no path'],
])("GET %s is answered with %j", async (path, want) => {
  const { get, stop } = await setUp();
  expect(await get(path)).toBe(want);
  await stop();
});

test("of two pods of one name the one that the API still has is meant, however long the other takes to end", async () => {
  const { get, create, client, clock, stop } = await setUp();
  await client.delete(podKind, { name: "web", namespace: "default" }, { gracePeriodSeconds: 0 });
  await clock.advance(0);
  expect(await get("/containerLogs/default/web/app")).toBe('404 pods "web" not found');
  await create({ name: "web", annotations: { "simulated.skiff.dev/logs": "the new one" } });
  await clock.advance(100);
  expect(await get("/containerLogs/default/web/app")).toBe("200 the new one\n");
  await stop();
});

test("a port where nobody listens is told of in containerd's words", async () => {
  const { kubelet, create, clock, stop } = await setUp();
  await create({ name: "crashed", annotations: { "simulated.skiff.dev/run-for": "1s" } });
  await clock.advance(3000);
  const forward = kubelet.portForward({ namespace: "default", name: "crashed" }, 80);
  await expect(forward).rejects.toThrow(
    /^failed to connect to localhost:80 inside namespace "\w+", IPv4: dial tcp 127\.0\.0\.1:80: connect: connection refused$/,
  );
  await stop();
});

test("pods and usage are told", async () => {
  const { get, stop } = await setUp();
  const pods = JSON.parse((await get("/pods")).slice(4));
  expect(pods.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["web", "typo"]);
  expect(await get("/metrics/resource")).toContain("# TYPE container_cpu_usage_seconds_total counter");
  expect(JSON.parse((await get("/stats/summary")).slice(4)).pods).toHaveLength(1);
  await stop();
});

test.each([
  ["/nothing", "404 404 page not found"],
  ["/%zz", '400 "/%zz" is no path'],
  ["/exec/default/none/app?output=1", '404 pods "none" not found'],
  ["/exec/default/web/none?output=1", '404 container not found ("none")'],
  ["/attach/default/typo/app?output=1", "404 container app not found in pod typo_default"],
  ["/exec/default/web/app", "400 you must specify at least 1 of stdin, stdout, stderr"],
])("an upgrade of %s is refused with %j", async (path, want) => {
  const { get, stop } = await setUp();
  expect(await get(path, { connection: "Upgrade", upgrade: "SPDY/3.1" })).toBe(want);
  await stop();
});
