/**
 * Real files. Small things are done synchronously: a write of a few kilobytes takes less time than a way to the thread
 * pool and back, and a pod's start has dozens of them.
 */
import { execFile } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { access } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import type { FileStat, Files, Ownership } from "../files.ts";

const run = promisify(execFile);

/** Group-writable, and new files below take the group. Source: pkg/volume/volume_linux.go, rwMask, execMask, setgid. */
const GROUP_FILE_MODE = 0o660;
const GROUP_FOLDER_MODE = 0o2770;

const isMissing = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Undefined where there is nothing. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function own(path: string, { mode, uid, gid }: Ownership = {}): void {
  // The process's umask takes bits away from what mkdir and open are told.
  if (mode !== undefined) chmodSync(path, mode);
  if (uid !== undefined || gid !== undefined) chownSync(path, uid ?? -1, gid ?? -1);
}

function typeOf(stats: Stats): FileStat["type"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isSocket()) return "socket";
  if (stats.isBlockDevice()) return "block";
  return stats.isCharacterDevice() ? "character" : "other";
}

const statOf = (stats: Stats): FileStat => ({
  type: typeOf(stats),
  sizeBytes: stats.size,
  mode: stats.mode & 0o7777,
  inode: stats.ino,
  modifiedAtMs: stats.mtimeMs,
});

/** Paths of what is mounted, as the kernel tells it; octal escapes undone. */
function mountPoints(): ReadonlySet<string> {
  const text = readFileSync("/proc/self/mountinfo", "utf8");
  const unescaped = (path: string) =>
    path.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return new Set(text.split("\n").flatMap((line) => (line === "" ? [] : unescaped(line.split(" ")[4] ?? ""))));
}

function setGroupBelow(path: string, gid: number): void {
  const stats = lstatSync(path);
  lchownSync(path, -1, gid);
  if (stats.isSymbolicLink()) return;
  const wanted = stats.isDirectory() ? GROUP_FOLDER_MODE : GROUP_FILE_MODE;
  chmodSync(path, (stats.mode & 0o7777) | wanted);
  if (stats.isDirectory()) for (const name of readdirSync(path)) setGroupBelow(`${path}/${name}`, gid);
}

function sizeBelow(path: string, device: number): number {
  const stats = orNothing(() => lstatSync(path));
  if (stats === undefined || stats.dev !== device) return 0;
  const own = stats.blocks * 512;
  if (!stats.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + sizeBelow(`${path}/${name}`, device), own);
}

/** Entries that are removed before others have a turn. */
const REMOVED_AT_ONCE_MAX = 1000;

/** Stops at what is mounted, so that nothing behind it is lost. */
async function removeBelow(path: string, device: number): Promise<void> {
  const stats = orNothing(() => lstatSync(path));
  if (stats === undefined) return;
  if (stats.dev !== device) throw new Error(`${path} cannot be removed: something is mounted there`);
  if (!stats.isDirectory()) return unlinkSync(path);
  let left = REMOVED_AT_ONCE_MAX;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeBelow(`${path}/${entry.name}`, device);
    else unlinkSync(`${path}/${entry.name}`);
    if (--left === 0) {
      await access(path);
      left = REMOVED_AT_ONCE_MAX;
    }
  }
  rmdirSync(path);
}

function readAt(path: string, offset: number, lengthMax: number): Uint8Array | undefined {
  const descriptor = orNothing(() => openSync(path, "r"));
  if (descriptor === undefined) return undefined;
  try {
    const left = Math.max(0, fstatSync(descriptor).size - offset);
    const bytes = Buffer.alloc(Math.min(lengthMax, left));
    const length = bytes.length === 0 ? 0 : readSync(descriptor, bytes, 0, bytes.length, offset);
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** By the folder, so that a file which is renamed and made anew is still followed. */
function watchFile(path: string, changed: () => void): () => void {
  const name = basename(path);
  const watcher = watch(dirname(path), { persistent: false }, (_, changedName) => {
    if (changedName === null || changedName === name) changed();
  });
  watcher.on("error", () => undefined);
  return () => watcher.close();
}

export const diskFiles: Files = {
  async makeDirectory(path, ownership) {
    const first = mkdirSync(path, { recursive: true });
    if (first !== undefined) own(path, ownership);
  },
  async write(path, data, ownership) {
    writeFileSync(path, data, { mode: ownership?.mode ?? 0o644 });
    own(path, ownership);
  },
  append: async (path, data) => appendFileSync(path, data),
  read: async (path) => orNothing(() => readFileSync(path)),
  readAt: async (path, offset, lengthMax) => readAt(path, offset, lengthMax),
  stat: async (path) => {
    const stats = orNothing(() => lstatSync(path));
    return stats && statOf(stats);
  },
  list: async (path) => (orNothing(() => readdirSync(path)) ?? []).sort(),
  async symlink(target, path) {
    rmSync(path, { recursive: true, force: true });
    symlinkSync(target, path);
  },
  readLink: async (path) => {
    const stats = orNothing(() => lstatSync(path));
    return stats?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
  },
  rename: async (from, to) => renameSync(from, to),
  async remove(path) {
    const parent = orNothing(() => lstatSync(dirname(path)));
    if (parent !== undefined) await removeBelow(path, parent.dev);
  },
  setGroup: async (path, gid) => setGroupBelow(path, gid),
  setMode: async (path, mode) => chmodSync(path, mode),
  resolve: async (path) => orNothing(() => realpathSync(path)),
  usedBytes: async (path) => {
    const stats = orNothing(() => lstatSync(path));
    return stats === undefined ? 0 : sizeBelow(path, stats.dev);
  },
  async mountTmpfs(path, sizeBytes) {
    if (mountPoints().has(path)) return;
    const options = sizeBytes === undefined ? [] : ["-o", `size=${sizeBytes}`];
    await run("mount", ["-t", "tmpfs", ...options, "tmpfs", path]);
  },
  async unmount(path) {
    if (mountPoints().has(path)) await run("umount", [path]);
  },
  watch: watchFile,
};
