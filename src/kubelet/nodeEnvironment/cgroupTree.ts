import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/env.ts";
import { readCgroupFile } from "./cgroups.ts";

/** How long killed processes may take to leave. */
const LEAVE_MS_MAX = 10_000;
const POLL_MS = 2;

/** The group at `directory` and all below, deepest first. */
export function descendants(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((child) => descendants(join(directory, child.name))), directory];
}

export function processesBelow(directory: string): readonly number[] {
  return descendants(directory).flatMap((group) => {
    const text = readCgroupFile(group, "cgroup.procs") ?? "";
    return text === "" ? [] : text.split("\n").map(Number);
  });
}

export function killProcesses(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Repeats `kill` until no process is left. @throws Error naming what would not die. */
export async function killUntilEmpty(directory: string, clock: Pick<Clock, "sleep">, kill: () => void): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const left = processesBelow(directory);
    if (left.length === 0) return;
    if (waitedMs > LEAVE_MS_MAX) throw new Error(`processes in ${directory} did not die: ${left.join(", ")}`);
    kill();
    await clock.sleep(POLL_MS);
  }
}

/** A group stays busy for a moment after its last process has gone. */
export async function removeTree(directory: string, clock: Pick<Clock, "sleep">): Promise<void> {
  for (const group of descendants(directory)) {
    for (let waitedMs = 0; existsSync(group); waitedMs += POLL_MS) {
      try {
        rmdirSync(group);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") break;
        if (waitedMs > LEAVE_MS_MAX) throw error;
        await clock.sleep(POLL_MS);
      }
    }
  }
}

export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!["ENOENT", "EBUSY", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
