import { readdirSync, readFileSync } from "node:fs";
import { collectChild } from "../../nodeEnvironment/systemCalls.ts";

/**
 * Collects what is dead among the orphans that came to this process: conmon, and programs of containers that the OCI
 * runtime left behind. As long as a dead program is not collected its container cannot end, and not every machine's first
 * process does it (in a container it seldom does). Children that Node started itself are left to Node.
 */
export function collectOrphans(): void {
  for (const pid of children()) if (isDeadOrphan(pid)) collectChild(pid);
}

function children(): readonly number[] {
  const tasks = readdirSync("/proc/self/task");
  return tasks.flatMap((task) => {
    const text = readProc(`/proc/self/task/${task}/children`).trim();
    return text === "" ? [] : text.split(" ").map(Number);
  });
}

function isDeadOrphan(pid: number): boolean {
  const status = readProc(`/proc/${pid}/status`);
  if (!/^State:\tZ/m.test(status)) return false;
  // One number per process namespace that it is in, this one's first.
  const isInContainer = (/^NSpid:\t(.*)$/m.exec(status)?.[1] ?? "").split("\t").length > 1;
  const [, session] = /\) Z \d+ \d+ (\d+) /.exec(readProc(`/proc/${pid}/stat`)) ?? [];
  const isConmon = /^Name:\tconmon$/m.test(status) && Number(session) === pid;
  return isInContainer || isConmon;
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
