import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { parseCgroupMounts } from "./cgroupMounts.ts";
import { cgroupsV1 } from "./cgroupsV1.ts";
import { cgroupsV2, cpuWeightOf } from "./cgroupsV2.ts";

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "skiff-cgroups-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** Plain files in place of the kernel's. */
function files(root: string, contents: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

const read = (...path: string[]) => readFileSync(join(...path), "utf8");
const clock = new VirtualClock();
const limits = { cpuShares: 1024, cpuQuotaUs: 50_000, memoryLimitBytes: 1 << 20, pidsMax: 10 };

describe("version 2", () => {
  const group = { "cgroup.controllers": "cpu memory pids\n", "cgroup.subtree_control": "\n", "cgroup.procs": "" };
  const at = (path: string, more: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries({ ...group, ...more }).map(([name, content]) => [join(path, name), content]));

  test("what is offered is handed down to where limits are set", () => {
    const root = directory();
    files(root, { ...at("."), ...at("a"), ...at("a/b") });
    cgroupsV2({ root, clock }).create("/a/b");
    expect([read(root, "cgroup.subtree_control"), read(root, "a/cgroup.subtree_control")]).toEqual([
      "+cpu +memory +pids",
      "+cpu +memory +pids",
    ]);
    expect(read(root, "a/b/cgroup.subtree_control")).toBe("\n");
  });

  test("limits are written, and taken away", () => {
    const root = directory();
    const names = ["cpu.weight", "cpu.max", "memory.max", "memory.swap.max", "pids.max"];
    files(root, Object.fromEntries(names.map((name) => [`a/${name}`, ""])));
    const cgroups = cgroupsV2({ root, clock });
    const written = () => names.map((name) => read(root, "a", name));
    cgroups.setLimits("/a", limits);
    expect(written()).toEqual(["39", "50000 100000", "1048576", "0", "10"]);
    cgroups.setLimits("/a", {});
    expect(written()).toEqual(["39", "max 100000", "max", "0", "max"]);
  });

  test("usage and out-of-memory kills are read", () => {
    const root = directory();
    files(root, {
      "a/cpu.stat": "usage_usec 1500\nuser_usec 1\n",
      "a/memory.current": "1000\n",
      "a/memory.stat": "anon 1\ninactive_file 300\n",
      "a/memory.events": "low 0\noom_kill 2\n",
      "a/pids.current": "3\n",
    });
    const cgroups = cgroupsV2({ root, clock });
    expect(cgroups.usage("/a")).toEqual({
      cpuUsageNs: 1_500_000,
      memoryUsageBytes: 1000,
      memoryWorkingSetBytes: 700,
      pids: 3,
    });
    expect([cgroups.oomKills("/a"), cgroups.oomKills("/b"), cgroups.usage("/b")]).toEqual([2, 0, undefined]);
  });

  test.each([
    [2, 1],
    [1024, 39],
    [262_144, 10_000],
    [1, 1],
  ])("%i shares are a weight of %i", (shares, weight) => expect(cpuWeightOf(shares)).toBe(weight));
});

describe("version 1", () => {
  test("limits and usage are in the hierarchies of their controllers", () => {
    const root = directory();
    files(root, {
      "cpu/a/cpu.shares": "",
      "cpu/a/cpuacct.usage": "77\n",
      "memory/a/memory.usage_in_bytes": "1000\n",
      "memory/a/memory.stat": "total_inactive_file 1200\n",
      "memory/a/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
      "pids/a/pids.max": "",
    });
    const hierarchy = (name: string, ...controllers: string[]) => ({
      directory: join(root, name),
      version: 1 as const,
      controllers,
    });
    const hierarchies = [hierarchy("cpu", "cpu", "cpuacct"), hierarchy("memory", "memory"), hierarchy("pids", "pids")];
    const cgroups = cgroupsV1({ hierarchies, clock });
    cgroups.setLimits("/a", limits);
    const written = ["cpu/a/cpu.shares", "cpu/a/cpu.cfs_quota_us", "memory/a/memory.limit_in_bytes", "pids/a/pids.max"];
    expect(written.map((path) => read(root, path))).toEqual(["1024", "50000", "1048576", "10"]);
    expect(cgroups.usage("/a")).toMatchObject({ cpuUsageNs: 77, memoryUsageBytes: 1000, memoryWorkingSetBytes: 0 });
    expect([cgroups.oomKills("/a"), cgroups.joinFiles("/a").length]).toEqual([1, 3]);
  });

  test("hierarchies are found in the list of mounts", () => {
    const mounts = [
      "tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0",
      "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,relatime,cpu,cpuacct 0 0",
      "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0",
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0",
    ].join("\n");
    expect(parseCgroupMounts(mounts).map(({ version, controllers }) => [version, controllers])).toEqual([
      [1, ["cpu", "cpuacct"]],
      [1, ["name=systemd"]],
      [2, []],
    ]);
  });
});
