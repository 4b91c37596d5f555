import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { LOCK_EX, LOCK_NB, lockFile, type SystemCallError } from "../nodeEnvironment/systemCalls.ts";

/** How often a lock that another process holds is tried again. */
const RETRY_MS = 5;

/** Runs `action` while no other process (nor another call in this one) holds the lock; a killed holder frees it. */
export async function withFileLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const file = await open(path, "a");
  try {
    while (!tryLock(file.fd)) await sleep(RETRY_MS);
    return await action();
  } finally {
    await file.close();
  }
}

function tryLock(descriptor: number): boolean {
  try {
    lockFile(descriptor, LOCK_EX | LOCK_NB);
    return true;
  } catch (error) {
    if ((error as SystemCallError).code === "EAGAIN") return false;
    throw error;
  }
}
