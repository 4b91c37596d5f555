import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../../lib/env.ts";
import type { ContainerResources } from "../runtime.ts";
import { type Cgroups, CPU_PERIOD_US, parseFlatKeyed, readCgroupFile } from "./cgroups.ts";
import { killProcesses, killUntilEmpty, processesBelow, removeIfEmpty, removeTree } from "./cgroupTree.ts";

const CONTROLLERS = ["cpu", "memory", "pids", "cpuset", "io"];
const NS_PER_US = 1000;

/** Source: kubelet cm/cgroup_manager_linux.go, getCPUWeight: [2, 262144] → [1, 10000]. */
export const cpuWeightOf = (shares: number): number => {
  const bounded = Math.min(262_144, Math.max(2, shares));
  return 1 + Math.floor(((bounded - 2) * 9999) / 262_142);
};

/** Control groups with one hierarchy for all controllers. */
export function cgroupsV2(options: { root: string; clock: Pick<Clock, "sleep"> }): Cgroups {
  const { root, clock } = options;
  const at = (path: string) => join(root, path);
  const has = (path: string, file: string) => existsSync(join(at(path), file));
  const write = (path: string, file: string, value: string) => {
    if (has(path, file)) writeFileSync(join(at(path), file), value);
  };

  /** Lets the children of `directory` be limited by what it has. */
  const delegate = (directory: string) => {
    const offered = readFileSync(join(directory, "cgroup.controllers"), "utf8").trim().split(" ");
    const wanted = CONTROLLERS.filter((controller) => offered.includes(controller));
    const enabled = readFileSync(join(directory, "cgroup.subtree_control"), "utf8").trim().split(" ");
    if (wanted.every((controller) => enabled.includes(controller))) return;
    const enable = () =>
      writeFileSync(join(directory, "cgroup.subtree_control"), wanted.map((controller) => `+${controller}`).join(" "));
    try {
      enable();
    } catch (error) {
      // In a container the root group has processes of its own, and a group has either processes or limited children.
      if ((error as NodeJS.ErrnoException).code !== "EBUSY" || directory !== root) throw error;
      moveToLeaf(directory);
      enable();
    }
  };

  return {
    version: 2,
    create(path) {
      const missing: string[] = [];
      for (let directory = at(path); directory !== root; directory = dirname(directory)) missing.unshift(directory);
      for (const directory of missing) {
        delegate(dirname(directory));
        mkdirSync(directory, { recursive: true });
      }
    },
    setLimits(path, limits: ContainerResources) {
      if (limits.cpuShares !== undefined) write(path, "cpu.weight", String(cpuWeightOf(limits.cpuShares)));
      write(path, "cpu.max", `${limits.cpuQuotaUs ?? "max"} ${CPU_PERIOD_US}`);
      write(path, "memory.max", String(limits.memoryLimitBytes ?? "max"));
      // Or a limit would not be one. Source: kubelet kuberuntime, NoSwap.
      write(path, "memory.swap.max", "0");
      write(path, "pids.max", String(limits.pidsMax ?? "max"));
    },
    addProcess: (path, pid) => writeFileSync(join(at(path), "cgroup.procs"), String(pid)),
    joinFiles: (path) => [join(at(path), "cgroup.procs")],
    processes: (path) => processesBelow(at(path)),
    usage(path) {
      const cpu = readCgroupFile(at(path), "cpu.stat");
      if (cpu === undefined) return undefined;
      const memory = Number(readCgroupFile(at(path), "memory.current") ?? 0);
      const inactive = parseFlatKeyed(readCgroupFile(at(path), "memory.stat") ?? "").get("inactive_file") ?? 0;
      return {
        cpuUsageNs: (parseFlatKeyed(cpu).get("usage_usec") ?? 0) * NS_PER_US,
        memoryUsageBytes: memory,
        memoryWorkingSetBytes: Math.max(0, memory - inactive),
        pids: Number(readCgroupFile(at(path), "pids.current") ?? 0),
      };
    },
    oomKills: (path) => parseFlatKeyed(readCgroupFile(at(path), "memory.events") ?? "").get("oom_kill") ?? 0,
    async killAll(path) {
      await killUntilEmpty(at(path), clock, () => {
        // Linux 5.14 kills a whole tree at once, forks included.
        if (has(path, "cgroup.kill")) return write(path, "cgroup.kill", "1");
        write(path, "cgroup.freeze", "1");
        killProcesses(processesBelow(at(path)));
        write(path, "cgroup.freeze", "0");
      });
    },
    remove: (path) => removeTree(at(path), clock),
    removeIfEmpty: (path) => removeIfEmpty(at(path)),
  };
}

function moveToLeaf(directory: string): void {
  const leaf = join(directory, "init");
  mkdirSync(leaf, { recursive: true });
  for (const pid of (readCgroupFile(directory, "cgroup.procs") ?? "").split("\n")) {
    if (pid !== "") writeFileSync(join(leaf, "cgroup.procs"), pid);
  }
}
