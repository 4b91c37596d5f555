import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/env.ts";
import type { ContainerResources } from "../runtime.ts";
import type { CgroupMount } from "./cgroupMounts.ts";
import { type Cgroups, CPU_PERIOD_US, parseFlatKeyed, readCgroupFile } from "./cgroups.ts";
import { killProcesses, killUntilEmpty, processesBelow, removeIfEmpty, removeTree } from "./cgroupTree.ts";

/** What containers are limited and counted by; other hierarchies are left alone, but cleaned. */
const CONTROLLERS = ["cpu", "cpuacct", "memory", "pids", "freezer"];
const UNLIMITED = -1;

/** Control groups with one hierarchy per controller. */
export function cgroupsV1(options: { hierarchies: readonly CgroupMount[]; clock: Pick<Clock, "sleep"> }): Cgroups {
  const { hierarchies, clock } = options;
  const directoryOf = (controller: string, path: string) => {
    const hierarchy = hierarchies.find(({ controllers }) => controllers.includes(controller));
    return hierarchy === undefined ? undefined : join(hierarchy.directory, path);
  };
  const used = (path: string) => [
    ...new Set(CONTROLLERS.map((controller) => directoryOf(controller, path)).filter((found) => found !== undefined)),
  ];
  /** The hierarchy that processes are found and stopped by. */
  const main = (path: string) => directoryOf("freezer", path) ?? (used(path)[0] as string);
  const read = (controller: string, path: string, file: string) => {
    const directory = directoryOf(controller, path);
    return directory === undefined ? undefined : readCgroupFile(directory, file);
  };
  const write = (controller: string, path: string, file: string, value: number | undefined) => {
    const directory = directoryOf(controller, path);
    if (directory !== undefined && value !== undefined) writeFileSync(join(directory, file), String(value));
  };
  const freeze = (path: string, state: "FROZEN" | "THAWED") => {
    const file = join(directoryOf("freezer", path) ?? "/nonexistent", "freezer.state");
    if (existsSync(file)) writeFileSync(file, state);
  };

  return {
    version: 1,
    create(path) {
      for (const directory of used(path)) mkdirSync(directory, { recursive: true });
    },
    setLimits(path, limits: ContainerResources) {
      write("cpu", path, "cpu.shares", limits.cpuShares);
      write("cpu", path, "cpu.cfs_period_us", CPU_PERIOD_US);
      write("cpu", path, "cpu.cfs_quota_us", limits.cpuQuotaUs ?? UNLIMITED);
      write("memory", path, "memory.limit_in_bytes", limits.memoryLimitBytes ?? UNLIMITED);
      const pids = directoryOf("pids", path);
      if (pids !== undefined) writeFileSync(join(pids, "pids.max"), String(limits.pidsMax ?? "max"));
    },
    addProcess(path, pid) {
      for (const directory of used(path)) writeFileSync(join(directory, "cgroup.procs"), String(pid));
    },
    joinFiles: (path) => used(path).map((directory) => join(directory, "cgroup.procs")),
    processes: (path) => processesBelow(main(path)),
    usage(path) {
      const memory = read("memory", path, "memory.usage_in_bytes");
      const cpu = read("cpuacct", path, "cpuacct.usage");
      if (memory === undefined && cpu === undefined) return undefined;
      const inactive = parseFlatKeyed(read("memory", path, "memory.stat") ?? "").get("total_inactive_file") ?? 0;
      return {
        cpuUsageNs: Number(cpu ?? 0),
        memoryUsageBytes: Number(memory ?? 0),
        memoryWorkingSetBytes: Math.max(0, Number(memory ?? 0) - inactive),
        pids: Number(read("pids", path, "pids.current") ?? 0),
      };
    },
    oomKills: (path) => parseFlatKeyed(read("memory", path, "memory.oom_control") ?? "").get("oom_kill") ?? 0,
    async killAll(path) {
      await killUntilEmpty(main(path), clock, () => {
        freeze(path, "FROZEN");
        killProcesses(processesBelow(main(path)));
        freeze(path, "THAWED");
      });
    },
    async remove(path) {
      for (const { directory } of hierarchies) await removeTree(join(directory, path), clock);
    },
    removeIfEmpty(path) {
      for (const { directory } of hierarchies) removeIfEmpty(join(directory, path));
    },
  };
}
