import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { createMemoryFiles } from "../volumes/memoryFiles.ts";
import { runtimeSuite } from "./runtimeSuite.ts";
import { behaviourOf, parseDuration } from "./simulated/behaviour.ts";
import { createSimulatedRuntime } from "./simulated.ts";
import { containerConfig, sandboxConfig } from "./testing/pod.ts";

const directory = mkdtempSync(join(tmpdir(), "simulated-"));
afterAll(() => rmSync(directory, { recursive: true }));

function setUp() {
  const clock = new VirtualClock();
  const env = { clock, random: seededRandom("simulated"), log: silentLog };
  const files = createMemoryFiles();
  const runtime = createSimulatedRuntime({ env, files, podCidr: "10.244.0.0/24" });
  return { clock, files, runtime, context: { runtime, directory, image: "web:1", reopen: async () => runtime } };
}

describe("what every runtime must do", () => {
  for (const { name, run } of runtimeSuite.filter((one) => one.for === "every")) {
    test(name, () => run(setUp().context));
  }
});

async function started(annotations: Record<string, string>) {
  const made = setUp();
  const { runtime, context } = made;
  const sandbox = await runtime.runSandbox(sandboxConfig({ annotations }));
  const id = await runtime.createContainer(await containerConfig(context, sandbox.id));
  await runtime.startContainer(id);
  return { ...made, sandbox, id };
}

test("a container ends by its script", async () => {
  const { clock, runtime, id } = await started({
    "simulated.skiff.dev/run-for": "2s",
    "main.simulated.skiff.dev/exit-code": "137",
    "simulated.skiff.dev/exit-reason": "OOMKilled",
  });
  await clock.advance(1999);
  expect((await runtime.containerStatus(id))?.state).toBe("Running");
  await clock.advance(1);
  expect(await runtime.containerStatus(id)).toMatchObject({ state: "Exited", exitCode: 137, reason: "OOMKilled" });
});

test("SIGKILL cuts a slow end short", async () => {
  const { clock, runtime, id } = await started({ "simulated.skiff.dev/stop-delay": "1h" });
  const stopped = runtime.stopContainer(id, 5000);
  await clock.advance(5000);
  await stopped;
  expect((await runtime.containerStatus(id))?.exitCode).toBe(137);
});

test("use adds up with time", async () => {
  const { clock, runtime } = await started({ "simulated.skiff.dev/cpu": "250m", "simulated.skiff.dev/memory": "64Mi" });
  await clock.advance(4000);
  expect(await runtime.stats()).toMatchObject([{ cpuUsageNs: 1_000_000_000, memoryWorkingSetBytes: 64 * 2 ** 20 }]);
});

test("a shell of sorts answers", async () => {
  const { runtime, id } = await started({});
  const stdout = new PassThrough();
  const code = await runtime.exec({
    containerId: id,
    command: ["sh"],
    tty: false,
    stdin: Readable.from(["echo hi\nfalse\nexit 3\n"]),
    stdout,
  });
  expect([code, `${stdout.read()}`]).toEqual([3, "hi\n"]);
});

test("its ports speak HTTP", async () => {
  const { runtime, sandbox } = await started({ "simulated.skiff.dev/ready": "false" });
  const connection = await runtime.dial(sandbox.id, 80);
  connection.write("GET / HTTP/1.1\r\n\r\n");
  const chunks: Buffer[] = [];
  for await (const chunk of connection) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 503/);
});

test("a body that comes after the answer, in pieces, does not spoil it", async () => {
  const { runtime, sandbox } = await started({});
  const connection = await runtime.dial(sandbox.id, 80);
  connection.write("POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n");
  for (const piece of ["abcd", "efgh"]) connection.write(piece);
  const chunks: Buffer[] = [];
  for await (const chunk of connection) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 200/);
});

test("cat gives back what it is given", async () => {
  const { runtime, id } = await started({});
  const stdout = new PassThrough();
  const stdin = Readable.from(["one\n", "two\n"]);
  const code = await runtime.exec({ containerId: id, command: ["cat"], tty: false, stdin, stdout });
  expect([code, Buffer.concat(await stdout.end().toArray()).toString()]).toEqual([0, "one\ntwo\n"]);
});

test("addresses are handed out in turn", async () => {
  const { runtime } = setUp();
  const first = await runtime.runSandbox(sandboxConfig());
  await runtime.removeSandbox(first.id);
  const second = await runtime.runSandbox(sandboxConfig());
  expect([first.ips, second.ips]).toEqual([["10.244.0.2"], ["10.244.0.3"]]);
});

test.each([
  ["250ms", 250],
  ["1m30s", 90_000],
  ["2h", 7_200_000],
  ["5", 5000],
  ["soon", undefined],
  [undefined, undefined],
])("the duration %s is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test("what is said for one container goes before what is said for all", () => {
  const annotations = { "simulated.skiff.dev/run-for": "1s", "app.simulated.skiff.dev/run-for": "2s" };
  expect([behaviourOf(annotations, "app").runForMs, behaviourOf(annotations, "side").runForMs]).toEqual([2000, 1000]);
});
