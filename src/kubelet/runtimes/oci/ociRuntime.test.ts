import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "../../../cluster/realEnv.ts";
import { canRun } from "../../../lib/testCapabilities.ts";
import { detectCgroups } from "../../nodeEnvironment/detectCgroups.ts";
import { podsCgroup } from "../../nodeEnvironment/nodeEnvironment.ts";
import type { ContainerStatus } from "../../runtime.ts";
import { runtimeSuite } from "../runtimeSuite.ts";
import { startTestNode, type TestNode } from "./testing/testNode.ts";

const CASE_MS_MAX = 60_000;
const NEEDS = { root: true, programs: ["conmon", "crun", "runc", "busybox", "nsenter", "unshare", "ip"] };

/** All that is on this machine of a node: mounts, control groups, processes. */
function traces(node: TestNode): string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const cluster = node.environment.cluster;
  const groups = execFileSync("find", ["/sys/fs/cgroup", "-name", cluster]).toString().split("\n");
  const processes = execFileSync("ps", ["-eo", "stat,args"])
    .toString()
    .split("\n")
    .filter((line) => !line.startsWith("Z"));
  return [
    ...mounts.filter((line) => line.includes(cluster)),
    ...groups.filter((line) => line !== ""),
    ...processes.filter((line) => line.includes(cluster)),
  ];
}

describe.runIf(canRun(NEEDS)).each(["crun", "runc"])("containers run by %s", (ociRuntime) => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startTestNode(ociRuntime);
  }, CASE_MS_MAX);
  afterAll(async () => {
    await node.destroy();
    expect(traces(node)).toEqual([]);
    expect(existsSync(node.directory)).toBe(false);
  }, CASE_MS_MAX);

  for (const { name } of runtimeSuite) {
    test(name, async () => void (await node.tell({ do: "case", name })), CASE_MS_MAX);
  }

  test("a component in the agent can serve in a pod's network, and only there", async () => {
    expect(await node.tell({ do: "serve" })).toEqual(["served", "ECONNREFUSED"]);
    await node.tell({ do: "clean" });
  });

  test("a pod's own control group has no processes, which version 2 would not let have limited groups as well", async () => {
    await node.tell({ do: "start", script: "sleep 1000", sharesProcesses: true });
    const pods = execFileSync("find", [
      "/sys/fs/cgroup",
      "-path",
      `*${podsCgroup(node.environment)}/pod*`,
      "-name",
      "cgroup.procs",
    ])
      .toString()
      .trim()
      .split("\n");
    const inPodItself = pods.filter((file) => basename(dirname(dirname(file))) === "pods");
    expect(inPodItself.length).toBeGreaterThan(0);
    expect(inPodItself.map((file) => readFileSync(file, "utf8"))).toEqual(inPodItself.map(() => ""));
    expect(pods.some((file) => readFileSync(file, "utf8") !== "")).toBe(true);
    await node.tell({ do: "clean" });
  });

  test("nothing is left of pods that were removed", async () => {
    const left = (path: string) => readdirSync(join(node.environment.runDirectory, path));
    expect([left("containers"), left("sandboxes"), left("exits"), left("oci"), left("t")]).toEqual([
      [],
      [],
      [],
      [],
      [],
    ]);
    expect(readdirSync(join(node.environment.dataDirectory, "containers"))).toEqual([]);
    expect(detectCgroups(realClock).processes(podsCgroup(node.environment))).toEqual([]);
    const script = `cat /proc/self/mounts`;
    const mounts = execFileSync("nsenter", [
      `--mount=${node.environment.mountNamespace}`,
      "sh",
      "-c",
      script,
    ]).toString();
    const below = mounts.split("\n").filter((line) => line.includes(`${node.environment.runDirectory}/`));
    expect(below).toEqual([]);
  });

  test(
    "an agent that is killed leaves its containers, and the next one takes them over",
    async () => {
      const start = async (script: string) =>
        ((await node.tell({ do: "start", script })) as { containerId: string }).containerId;
      const status = async (containerId: string) => (await node.tell({ do: "status", containerId })) as ContainerStatus;
      const [long, short] = [await start("sleep 1000"), await start("sleep 0.3; exit 7")];
      const before = await status(long);
      await node.kill();
      await realClock.sleep(700);
      await node.restart();
      expect(await status(long)).toEqual(before);
      const missed = await status(short);
      expect([missed.state, missed.exitCode, missed.id]).toEqual(["Exited", 7, short]);
      expect(missed.finishedAtMs as number).toBeLessThan(realClock.now() - 300);
      await node.tell({ do: "clean" });
    },
    CASE_MS_MAX,
  );

  test(
    "a node whose every process was killed is cleaned up by what lies on disk",
    async () => {
      const other = await startTestNode(ociRuntime);
      await other.tell({ do: "start", script: "sleep 1000" });
      await other.kill();
      for (const pid of detectCgroups(realClock).processes(other.environment.cgroupPath)) process.kill(pid, "SIGKILL");
      await other.destroy();
      expect(traces(other)).toEqual([]);
    },
    CASE_MS_MAX,
  );
});
