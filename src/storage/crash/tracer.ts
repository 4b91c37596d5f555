/** Follows what one process asks of the disk, and kills it at a given step. Entry of a worker; exports types only. */
import { existsSync } from "node:fs";
import { arch } from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import type { DiskStep } from "./disk.ts";
import { follow, followSyscalls, type SyscallStop, Tracee } from "./ptrace.ts";

export interface TracerOptions {
  readonly pid: number;
  /** The thread to follow, with all that it starts. */
  readonly thread: number;
  /** Only files in it count. */
  readonly directory: string;
  /** The process is killed at this step of the disk: before it or after it, as `killBefore` says. */
  readonly killAtStep: number;
  readonly killBefore: boolean;
}

export type FromTracer = { readonly type: "following" } | { readonly type: "ended"; readonly steps: DiskStep[] };

const STDOUT = 1n;

/** Source: Linux, uapi asm-generic/fcntl.h. */
const O_CREAT = 0o100n;
const O_TRUNC = 0o1000n;

type Call = "write" | "pwrite64" | "ftruncate" | "fsync" | "fdatasync" | "openat" | "unlink" | "unlinkat" | "forbidden";

/** Source: Linux, arch/x86/entry/syscalls/syscall_64.tbl and uapi asm-generic/unistd.h. Renames are not modelled. */
const CALLS: Readonly<Record<string, Readonly<Record<number, Call>>>> = {
  x64: {
    1: "write",
    18: "pwrite64",
    77: "ftruncate",
    74: "fsync",
    75: "fdatasync",
    257: "openat",
    87: "unlink",
    263: "unlinkat",
    82: "forbidden",
    264: "forbidden",
    316: "forbidden",
    296: "forbidden",
  },
  arm64: {
    64: "write",
    68: "pwrite64",
    46: "ftruncate",
    82: "fsync",
    83: "fdatasync",
    56: "openat",
    35: "unlinkat",
    38: "forbidden",
    276: "forbidden",
    70: "forbidden",
  },
};

const options = workerData as TracerOptions;
const calls = CALLS[arch] ?? {};
const tracee = new Tracee(options.pid);
const steps: DiskStep[] = [];

/** What the thread is doing: a step made on entry (its number), or a sync, which counts on its return. */
type Doing = { readonly number: number } | { readonly syncing: string; readonly upTo: number };
const doing = new Map<number, Doing>();

const isOurs = (path: string): boolean => path === options.directory || path.startsWith(`${options.directory}/`);

function openStep(path: string, flags: bigint): DiskStep | undefined {
  if (!isOurs(path)) return undefined;
  if ((flags & O_CREAT) !== 0n && !existsSync(path)) return { type: "create", path };
  return (flags & O_TRUNC) !== 0n ? { type: "truncate", path, size: 0 } : undefined;
}

function fileStep(call: Call, path: string, [, second = 0n, third = 0n, fourth = 0n]: readonly bigint[]) {
  if (!isOurs(path)) return undefined;
  if (call === "ftruncate") return { type: "truncate", path, size: Number(second) } as const;
  if (call !== "pwrite64") throw new Error(`the file ${path} is written in a way that is not followed`);
  return { type: "write", path, offset: Number(fourth), data: tracee.read(second, Number(third)) } as const;
}

/** What the call asks of the disk, if anything. */
function stepOf(call: Call, args: readonly bigint[]): DiskStep | undefined {
  const [first = 0n, second = 0n, third = 0n] = args;
  switch (call) {
    case "openat":
      return openStep(tracee.readPath(second), third);
    case "unlink":
    case "unlinkat": {
      const path = tracee.readPath(call === "unlink" ? first : second);
      return isOurs(path) ? { type: "unlink", path } : undefined;
    }
    case "write":
      if (first === STDOUT) return { type: "tell", text: tracee.read(second, Number(third)).toString() };
      return fileStep(call, tracee.pathOf(first), args);
    case "pwrite64":
    case "ftruncate":
      return fileStep(call, tracee.pathOf(first), args);
    default:
      throw new Error("a call was made that is not followed");
  }
}

function enter(thread: number, call: Call, args: readonly bigint[]): void {
  if (call === "fsync" || call === "fdatasync") {
    const path = tracee.pathOf(args[0] as bigint);
    if (isOurs(path)) doing.set(thread, { syncing: path, upTo: steps.length });
    return;
  }
  const step = stepOf(call, args);
  if (step !== undefined) doing.set(thread, { number: steps.push(step) - 1 });
}

/** A write that was cut short, or refused, is a step less; one that never returned stays, as it may have happened. */
function leave(thread: number, result: number): void {
  const done = doing.get(thread);
  doing.delete(thread);
  if (done === undefined) return;
  if ("syncing" in done) {
    if (result === 0) steps.push({ type: "sync", path: done.syncing, upTo: done.upTo });
    return;
  }
  const step = steps[done.number] as DiskStep;
  if (result < 0) steps[done.number] = { type: "nothing" };
  else if (step.type === "write") steps[done.number] = { ...step, data: step.data.subarray(0, result) };
}

function onStop(stop: SyscallStop): void {
  if (stop.at === "exit") leave(stop.thread, stop.result);
  else {
    const call = calls[stop.number];
    if (call !== undefined) enter(stop.thread, call, stop.args);
  }
  const due = steps.length > options.killAtStep;
  if (due && (options.killBefore || stop.at === "exit")) process.kill(options.pid, "SIGKILL");
}

follow(options.thread);
parentPort?.postMessage({ type: "following" } satisfies FromTracer);
followSyscalls(onStop);
tracee.close();
parentPort?.postMessage({ type: "ended", steps } satisfies FromTracer);
