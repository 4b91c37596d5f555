import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerConfig, ContainerUser, SandboxConfig } from "../../runtime.ts";

/** A process that is surely the one meant: its id and when it started (clock ticks after boot). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

/** What is remembered of a container, on disk before anything is made of it. */
export interface ContainerRecord {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly createdAtMs: number;
  readonly cgroupPath: string;
  readonly stopSignal: string;
  readonly user?: ContainerUser;
  /** Start was asked for; without `process` it did not get through. */
  readonly isStarting?: boolean;
  readonly process?: ProcessIdentity;
  readonly startedAtMs?: number;
  readonly end?: ContainerEnd;
}

export interface ContainerEnd {
  readonly exitCode: number;
  readonly finishedAtMs: number;
  readonly reason: string;
  readonly message?: string;
}

export interface SandboxRecord {
  readonly id: string;
  readonly config: SandboxConfig;
  readonly createdAtMs: number;
  readonly cgroupPath: string;
  readonly state: "Ready" | "NotReady";
  readonly ips: readonly string[];
  /** First process of the shared process namespace. */
  readonly init?: ProcessIdentity;
}

const RECORD_FILE = "record.json";

/** Whole or not at all: a crash leaves the record before. */
export function writeRecord(directory: string, record: ContainerRecord | SandboxRecord): void {
  const path = join(directory, RECORD_FILE);
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
}

/** Records of all directories below, the oldest first; those without one were cut off while being made. */
export function readRecords<R extends ContainerRecord | SandboxRecord>(
  directory: string,
): { records: R[]; broken: string[] } {
  const [records, broken]: [R[], string[]] = [[], []];
  for (const name of readdirSync(directory)) {
    const path = join(directory, name, RECORD_FILE);
    if (existsSync(path)) records.push(JSON.parse(readFileSync(path, "utf8")));
    else broken.push(name);
  }
  return { records: records.sort((a, b) => a.createdAtMs - b.createdAtMs), broken };
}

/** Undefined when the process is gone, or only its shell waits to be collected. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command may hold spaces and brackets; what follows its last bracket is fixed: state, …, 20th: start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : { pid, startTicks: fields[19] as string };
  } catch {
    return undefined;
  }
}

export const isAlive = (process: ProcessIdentity): boolean =>
  identifyProcess(process.pid)?.startTicks === process.startTicks;

/** Does nothing when it is gone. */
export function signalProcess(target: ProcessIdentity, signal: number | NodeJS.Signals): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
