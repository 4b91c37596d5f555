import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { realClock, realRandom } from "../../cluster/realEnv.ts";
import { silentLog } from "../../lib/silentLog.ts";
import type { Runtime } from "../runtime.ts";
import { createMemoryFiles } from "../volumes/memoryFiles.ts";
import type { BuiltinProgram } from "./builtin/program.ts";
import { createBuiltinRuntime } from "./builtin.ts";
import { runtimeSuite } from "./runtimeSuite.ts";
import { createSimulatedRuntime } from "./simulated.ts";
import { exited, outputOf, readLog, startPod } from "./testing/pod.ts";
import type { SuiteContext } from "./testing/runtimeCase.ts";

const IMAGE = "component:1";
const env = { clock: realClock, random: realRandom, log: silentLog };

const untilTold: BuiltinProgram = ({ signal }) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(0), { once: true }));

/** A runtime with one built-in image, around a simulated one. */
function contextOf(program: BuiltinProgram): SuiteContext {
  const directory = mkdtempSync(join(tmpdir(), "skiff-builtin-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const inner = createSimulatedRuntime({ env, files: createMemoryFiles(), podCidr: "10.244.0.0/24" });
  const programs = new Map([[IMAGE, program]]);
  const open = () => createBuiltinRuntime({ env, inner, programs, stateDirectory: join(directory, "state") });
  let runtime = open();
  return {
    get runtime(): Runtime {
      return runtime;
    },
    directory,
    image: IMAGE,
    async reopen() {
      runtime = open();
      return runtime;
    },
  };
}

describe("built-in images do what every runtime does", () => {
  // Usage of a part of this process is not known.
  const except = ["running containers have usage, others none"];
  for (const { name, run } of runtimeSuite.filter((entry) => entry.for === "every" && !except.includes(entry.name))) {
    test(name, () => run(contextOf(untilTold)));
  }
});

describe("built-in images", () => {
  test("other images go to the inner runtime", async () => {
    const context = contextOf(untilTold);
    const image = await context.runtime.images.pull("nginx:1", []);
    const { containerId } = await startPod(context, { imageId: image.id, imageName: "nginx:1" });
    expect((await context.runtime.containerStatus(containerId))?.state).toBe("Running");
    expect((await context.runtime.stats()).map((stats) => stats.containerId)).toEqual([containerId]);
  });

  test("their image is there in every spelling, and pulling it asks nobody", async () => {
    const { images } = contextOf(untilTold).runtime;
    const status = await images.status(`docker.io/library/${IMAGE}`);
    expect(status?.repoTags).toEqual([`docker.io/library/${IMAGE}`]);
    expect([await images.pull(IMAGE, []), await images.status(status?.id as string)]).toEqual([status, status]);
  });

  test("what a component is told, and how it ends", async () => {
    const context = contextOf(async ({ args, env: variables, log }) => {
      log.write(`${args.join(" ")} ${variables.WHO}\nand`);
      log.write(" more\n");
      return 3;
    });
    const changes = { command: ["serve"], args: ["--port", "53"], env: [{ name: "WHO", value: "you" }] };
    const { containerId } = await startPod(context, changes);
    const status = await exited(context.runtime, containerId);
    expect([status.exitCode, status.reason]).toEqual([3, "Error"]);
    expect(outputOf(join(context.directory, "log"))).toBe("serve --port 53 you\nand more\n");
  });

  test("what a component throws is in its log, and ends only its container", async () => {
    const context = contextOf(async () => {
      throw new Error("no luck");
    });
    const { containerId } = await startPod(context);
    expect((await exited(context.runtime, containerId)).exitCode).toBe(1);
    expect(outputOf(join(context.directory, "log"))).toMatch(/^Error: no luck\n/);
  });

  test("a component that does not heed is ended after its grace", async () => {
    const context = contextOf(() => new Promise(() => {}));
    const { containerId } = await startPod(context);
    await context.runtime.stopContainer(containerId, 20);
    expect((await exited(context.runtime, containerId)).exitCode).toBe(137);
  });

  test("the next process tells of what ran in the one before as ended", async () => {
    const context = contextOf(untilTold);
    const { containerId, sandboxId } = await startPod(context);
    const runtime = await context.reopen();
    const status = await runtime.containerStatus(containerId);
    expect([status?.state, status?.exitCode, status?.sandboxId]).toEqual(["Exited", 137, sandboxId]);
    await runtime.removeContainer(containerId);
    expect(await (await context.reopen()).listContainers()).toEqual([]);
  });

  test("no program can be run in them, and they say it as an image without a shell does", async () => {
    const context = contextOf(untilTold);
    const { containerId } = await startPod(context);
    const exec = context.runtime.exec({ containerId, command: ["sh"], tty: false });
    await expect(exec).rejects.toThrow("executable file `sh` not found in $PATH: No such file or directory");
  });

  test("long lines are split, and a renamed log is begun anew", async () => {
    const write = Promise.withResolvers<void>();
    const context = contextOf(async ({ log }) => {
      log.write(`${"x".repeat(20_000)}\n`);
      await write.promise;
      log.write("new\n");
      return 0;
    });
    const { containerId } = await startPod(context);
    const path = join(context.directory, "log");
    await realClock.sleep(5);
    expect(readLog(path).map(({ tag, text }) => [tag, text.length])).toEqual([
      ["P", 16 * 1024],
      ["F", 20_000 - 16 * 1024],
    ]);
    renameSync(path, `${path}.1`);
    await context.runtime.reopenLog(containerId);
    write.resolve();
    await exited(context.runtime, containerId);
    expect(readFileSync(path, "utf8")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout F new\n$/);
  });
});
