/** Whether a cluster's disk has room for what it must write. */
import { existsSync, statfsSync } from "node:fs";
import { UserError } from "./userError.ts";

/** Below this the store cannot be relied on to take another write. */
const FREE_BYTES_MIN = 512 * 1024;

export interface FileSystemSpace {
  /** Blocks that this user may still fill, and their size. */
  readonly bavail: number;
  readonly bsize: number;
}

/** @returns the sentence to say, or undefined when there is room, or nothing to look at. */
export function fullDiskError(
  folder: string,
  spaceOf: (folder: string) => FileSystemSpace = statfsSync,
): UserError | undefined {
  if (!existsSync(folder)) return undefined;
  const { bavail, bsize } = spaceOf(folder);
  if (bavail * bsize >= FREE_BYTES_MIN) return undefined;
  const left = Math.floor((bavail * bsize) / 1024);
  return new UserError(
    `the disk of ${folder} is full (${left} KiB left): make room, or put everything elsewhere with SKIFF_HOME=<folder>`,
  );
}
