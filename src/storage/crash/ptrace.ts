import { closeSync, openSync, readlinkSync, readSync } from "node:fs";
import { foreignCalls } from "../../lib/foreignCalls.ts";

/**
 * Follows the system calls of some threads of another process of this user, as strace does: through ptrace, so it needs
 * neither root nor a tool. Everything is synchronous and must happen on one thread: the kernel knows tracers by thread.
 */

/** Source: Linux, uapi linux/ptrace.h and linux/wait.h. */
const PTRACE_SYSCALL = 24;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_GET_SYSCALL_INFO = 0x420e;
const PTRACE_O_TRACESYSGOOD = 0x1;
const PTRACE_O_TRACECLONE = 0x8;
const PTRACE_O_EXITKILL = 0x100000;
/** System calls told apart from signals, threads followed from their start, and nothing left behind when we are gone. */
const OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
const SYSCALL_INFO_ENTRY = 1;
const SYSCALL_INFO_EXIT = 2;
const SIGTRAP = 5;
const SYSCALL_STOP_SIGNAL = SIGTRAP | 0x80;
const WNOTHREAD = 0x20000000;
const WALL = 0x40000000;

/** Size of `struct ptrace_syscall_info`. */
const SYSCALL_INFO_BYTES = 88;
/** PATH_MAX. */
const PATH_BYTES_MAX = 4096;

const calls = foreignCalls();
const libc = calls.load(null);
const ptrace = libc.func("long ptrace(long request, int pid, intptr_t address, void *data)");
const ptraceNumber = libc.func("ptrace", "long", ["long", "int", "intptr_t", "intptr_t"]);
const waitpid = libc.func("int waitpid(int pid, _Out_ int *status, int options)");

export type SyscallStop =
  | { readonly at: "entry"; readonly thread: number; readonly number: number; readonly args: readonly bigint[] }
  | { readonly at: "exit"; readonly thread: number; readonly result: number };

function check(result: number, what: string): void {
  if (result < 0) throw new Error(`ptrace could not ${what} (errno ${calls.errno()})`);
}

/** Begins to follow the thread and every thread that it starts. */
export function follow(thread: number): void {
  check(ptraceNumber(PTRACE_SEIZE, thread, 0, OPTIONS), "follow the thread");
  check(ptraceNumber(PTRACE_INTERRUPT, thread, 0, 0), "stop the thread");
}

function syscallStop(thread: number, info: Buffer): SyscallStop | undefined {
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, info.length, info) < 0) return undefined;
  const kind = info.readUInt8(0);
  if (kind === SYSCALL_INFO_EXIT) return { at: "exit", thread, result: Number(info.readBigInt64LE(24)) };
  if (kind !== SYSCALL_INFO_ENTRY) return undefined;
  const args = [32, 40, 48, 56].map((offset) => info.readBigUInt64LE(offset));
  return { at: "entry", thread, number: Number(info.readBigUInt64LE(24)), args };
}

/** Calls `onStop` before and after each system call of the followed threads, which wait meanwhile; until they end. */
export function followSyscalls(onStop: (stop: SyscallStop) => void): void {
  const status: number[] = [0];
  const info = Buffer.alloc(SYSCALL_INFO_BYTES);
  for (;;) {
    // Of this thread's tracees only: the children of this process are Node's to wait for.
    const thread = waitpid(-1, status, WALL | WNOTHREAD);
    if (thread < 0) return;
    const word = status[0] as number;
    const stopped = (word & 0xff) === 0x7f;
    if (!stopped) continue;
    const signal = (word >> 8) & 0xff;
    const event = word >> 16;
    if (signal === SYSCALL_STOP_SIGNAL) {
      const stop = syscallStop(thread, info);
      if (stop !== undefined) onStop(stop);
    }
    const deliver = signal === SYSCALL_STOP_SIGNAL || event !== 0 ? 0 : signal;
    // Fails when the thread has been killed meanwhile; waiting then says so.
    ptraceNumber(PTRACE_SYSCALL, thread, 0, deliver);
  }
}

/** Reads the memory and the descriptors of a process whose threads are followed. */
export class Tracee {
  readonly #pid: number;
  readonly #memory: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#memory = openSync(`/proc/${pid}/mem`, "r");
  }

  read(address: bigint, length: number): Buffer {
    const content = Buffer.alloc(length);
    const count = readSync(this.#memory, content, 0, length, address);
    return content.subarray(0, count);
  }

  readPath(address: bigint): string {
    const content = this.read(address, PATH_BYTES_MAX);
    return content.toString("utf8", 0, content.indexOf(0));
  }

  pathOf(descriptor: bigint): string {
    return readlinkSync(`/proc/${this.#pid}/fd/${descriptor}`);
  }

  close(): void {
    closeSync(this.#memory);
  }
}
