import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock as clock } from "../../cluster/realEnv.ts";
import { canRun } from "../../lib/testCapabilities.ts";
import { detectCgroups } from "./detectCgroups.ts";
import {
  createNodeEnvironment,
  destroyNodeEnvironment,
  enterCommand,
  type NodeEnvironment,
  readNodeEnvironment,
} from "./nodeEnvironment.ts";

const NEEDS = { root: true, programs: ["nsenter", "unshare", "ip"] };

describe.runIf(canRun(NEEDS))("a node on this machine", () => {
  let directory: string;
  let environment: NodeEnvironment;
  const options = () => ({
    runDirectory: join(directory, "run"),
    dataDirectory: join(directory, "data"),
    cluster: basename(directory),
    node: "a-node",
    clock,
  });
  const destroy = () => destroyNodeEnvironment({ runDirectory: join(directory, "run"), clock });
  const groups = () => execFileSync("find", ["/sys/fs/cgroup", "-name", basename(directory)]).toString();
  const mounts = () =>
    readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(directory));
  const run = (...argv: string[]) => {
    const [command = "", ...args] = enterCommand(environment, argv, detectCgroups(clock));
    return execFileSync(command, args).toString();
  };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "skiff-env-"));
    environment = await createNodeEnvironment(options());
  });
  afterEach(async () => {
    await destroy();
    rmSync(directory, { recursive: true });
    expect([groups(), mounts()]).toEqual(["", []]);
  });

  test("a program in it has the node's name, network, mounts and group, and stays where it was started", () => {
    const own = ["mnt", "net", "uts"].map((name) => readlinkSync(`/proc/self/ns/${name}`));
    const script =
      "hostname; for n in mnt net uts; do readlink /proc/self/ns/$n; done; cat /sys/class/net/lo/operstate >/dev/null; pwd; cat /proc/self/cgroup";
    const [name, mnt, net, uts, place, ...group] = run("sh", "-c", script).trim().split("\n");
    expect([name, place]).toEqual(["a-node", process.cwd()]);
    expect([mnt, net, uts].filter((namespace) => own.includes(namespace as string))).toEqual([]);
    expect(group.some((line) => line.endsWith(`${environment.cgroupPath}/agent`))).toBe(true);
  });

  test("making it again finds it as it is", async () => {
    const before = run("readlink", "/proc/self/ns/net");
    expect(await createNodeEnvironment(options())).toEqual(environment);
    expect(run("readlink", "/proc/self/ns/net")).toBe(before);
    expect(readNodeEnvironment(environment.runDirectory)).toEqual(environment);
    expect(mounts()).toHaveLength(4);
  });

  const last = cpus().length - 1;
  test.each([
    [0, last],
    [last, 0],
  ])("it can be made in a mount namespace that was made on processor %i, from processor %i", async (outer, inner) => {
    await destroy();
    const script = `const { createNodeEnvironment, destroyNodeEnvironment } = await import("${import.meta.dirname}/nodeEnvironment.ts");
      const { realClock: clock } = await import("${import.meta.dirname}/../../cluster/realEnv.ts");
      const options = { ...${JSON.stringify({ ...options(), clock: undefined })}, clock };
      await createNodeEnvironment(options);
      await destroyNodeEnvironment(options);
      console.log("made");`;
    const node = ["taskset", "-c", String(inner), process.execPath, "--input-type=module-typescript", "-e", script];
    const argv = ["-c", String(outer), "unshare", "--mount", "--propagation", "private", ...node];
    expect(execFileSync("taskset", argv).toString()).toBe("made\n");
  });

  test("what is mounted in it is not seen outside, and goes with it", () => {
    run("sh", "-c", `mkdir ${directory}/m && mount -t tmpfs none ${directory}/m && touch ${directory}/m/x`);
    expect(existsSync(join(directory, "m", "x"))).toBe(false);
    expect(run("ls", `${directory}/m`)).toBe("x\n");
  });

  test("tear-down kills all in it, also what detached itself", async () => {
    const [command = "", ...args] = enterCommand(environment, ["setsid", "sleep", "1000"], detectCgroups(clock));
    const child = spawn(command, args, { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
    while (detectCgroups(clock).processes(environment.cgroupPath).length === 0) await clock.sleep(2);
    await destroy();
    expect(await ended).toBe("SIGKILL");
    await destroy();
    expect(readNodeEnvironment(environment.runDirectory)).toBeUndefined();
  });

  test("pins that a restart of the machine left as plain files are made anew", async () => {
    await destroy();
    execFileSync("mkdir", ["-p", environment.runDirectory]);
    for (const name of ["mnt", "net", "uts"]) writeFileSync(join(environment.runDirectory, name), "");
    environment = await createNodeEnvironment(options());
    expect(run("hostname")).toBe("a-node\n");
  });
});
