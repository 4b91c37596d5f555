import { expect, test } from "vitest";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import { runHook } from "./lifecycleHooks.ts";
import { testPod } from "./podLifecycle/testPods.ts";
import type { Runtime } from "./runtime.ts";

const context = (exitCode: number) => ({
  env: { clock: new VirtualClock(), random: seededRandom(""), log: silentLog },
  runtime: {
    execSync: async () => ({ exitCode, stdout: Buffer.from("out\n"), stderr: Buffer.from("bad\n") }),
  } as unknown as Runtime,
  dial: async () => {
    throw new Error("dial tcp 10.0.0.1:80: connect: connection refused");
  },
});
const target = { pod: testPod(), container: { name: "app" }, containerId: "c1", podIps: ["10.0.0.1"] };
const WHERE = 'for Container "app" in Pod "web_default(u1)"';

test.each([
  {
    name: "a command",
    handler: { exec: { command: ["sh", "-c", "exit 7"] } },
    want: `Exec lifecycle hook ([sh -c exit 7]) ${WHERE} failed - error: command 'sh -c exit 7' exited with 7: bad\n, message: "out\\nbad\\n"`,
  },
  {
    name: "a request",
    handler: { httpGet: { port: 80, path: "/bye" } },
    want: `HTTP lifecycle hook (/bye) ${WHERE} failed - error: Get "http://10.0.0.1:80/bye": dial tcp 10.0.0.1:80: connect: connection refused`,
  },
])("$name that fails says what it was, where, and why", async ({ handler, want }) => {
  await expect(runHook(context(7), target, handler)).rejects.toThrow(new Error(want));
});

test("a command that succeeds is no failure, whatever it says", async () => {
  await expect(runHook(context(0), target, { exec: { command: ["true"] } })).resolves.toBeUndefined();
});
