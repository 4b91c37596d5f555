/** A process that we started, remembered so that it can be found and ended later without ever hitting another one. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks after boot at which it started: a pid used again has another one. */
  readonly startTicks: string;
}

/** Field 22 of /proc/PID/stat, counted after the command name, which may hold blanks. */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function writeProcessRecord(path: string, pid: number): void {
  // In one step: who reads half of it would take the process for dead.
  writeFileSync(`${path}.${pid}`, JSON.stringify({ pid, startTicks: startTicksOf(pid) ?? "" }));
  renameSync(`${path}.${pid}`, path);
}

/** The process, if it still runs. */
export function readProcessRecord(path: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as ProcessRecord;
    return isAlive(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

export const isAlive = ({ pid, startTicks }: ProcessRecord): boolean => startTicksOf(pid) === startTicks;

/** Takes back what was written of process `pid`, and of no other. */
export function removeProcessRecord(path: string, pid: number): void {
  if (readProcessRecord(path)?.pid === pid) rmSync(path, { force: true });
}

/** Sends `signal` if the process is still the one recorded. */
export function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}
