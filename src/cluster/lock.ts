/**
 * Locks between processes of one machine that end with their holder, however it ends: each is a listening socket in
 * Linux' abstract namespace, of which the kernel allows one to a name and which leaves no file behind.
 *
 * Elsewhere there is no such namespace, and nothing is locked: two commands at once are then the user's own care.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { Clock } from "../lib/env.ts";
import { UserError } from "./userError.ts";

export interface Lock {
  release(): void;
}

/** A free lock is taken at once; who waits looks again after this. */
const LOOK_AGAIN_MS = 20;

/** @returns undefined while another holder, in this process or in any other one, has the lock of that name. */
export function tryLock(name: string): Promise<Lock | undefined> {
  if (process.platform !== "linux") return Promise.resolve({ release: () => undefined });
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen({ path: abstractPath(name) }, () => {
      server.unref();
      resolve({ release: () => server.close() });
    });
  });
}

/** Names hold paths, which may be longer than a socket's name. */
const abstractPath = (name: string) => `\0skiff-${createHash("sha256").update(name).digest("hex")}`;

export interface LockWait {
  readonly clock: Clock;
  readonly withinMs: number;
  readonly signal?: AbortSignal;
  /** What is said when it takes too long. */
  readonly busy: string;
}

/** Waits for the lock. @throws UserError when another holder keeps it for too long */
export async function waitForLock(name: string, { clock, withinMs, signal, busy }: LockWait): Promise<Lock> {
  const untilMs = clock.monotonic() + withinMs;
  for (;;) {
    const lock = await tryLock(name);
    if (lock !== undefined) return lock;
    if (clock.monotonic() >= untilMs) throw new UserError(busy);
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** Runs `work` while holding the lock. */
export async function withLock<T>(name: string, wait: LockWait, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(name, wait);
  try {
    return await work();
  } finally {
    lock.release();
  }
}
