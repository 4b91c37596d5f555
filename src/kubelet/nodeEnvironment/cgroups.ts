import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerResources } from "../runtime.ts";

export interface CgroupUsage {
  /** Cumulative. */
  readonly cpuUsageNs: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly pids: number;
}

/** Control groups of either version. Paths are absolute within the hierarchy: "/skiff/<cluster>/<node>". */
export interface Cgroups {
  readonly version: 1 | 2;
  /** With its parents; safe to repeat. */
  create(path: string): void;
  setLimits(path: string, limits: ContainerResources): void;
  addProcess(path: string, pid: number): void;
  /** Files that a process writes "0" to, to join. */
  joinFiles(path: string): readonly string[];
  /** All processes in it and below. */
  processes(path: string): readonly number[];
  /** Undefined: no such group. */
  usage(path: string): CgroupUsage | undefined;
  /** Times that the kernel killed a process of this group for want of memory. */
  oomKills(path: string): number;
  /** Kills all in it and below, also what forks meanwhile; resolves when none is left. */
  killAll(path: string): Promise<void>;
  /** With all below; nothing may be left in it. */
  remove(path: string): Promise<void>;
  /** Does nothing when there is a group or a process in it. */
  removeIfEmpty(path: string): void;
}

/** Period of the CPU quota. Source: kubelet cm/helpers_linux.go, QuotaPeriod. */
export const CPU_PERIOD_US = 100_000;
/** Lines of "key value". */
export function parseFlatKeyed(text: string): ReadonlyMap<string, number> {
  return new Map(
    text
      .split("\n")
      .map((line) => line.split(" "))
      .map(([key = "", value]) => [key, Number(value)]),
  );
}

/** A file's text; undefined when the group is gone. */
export function readCgroupFile(...path: string[]): string | undefined {
  try {
    return readFileSync(join(...path), "utf8").trim();
  } catch {
    return undefined;
  }
}
