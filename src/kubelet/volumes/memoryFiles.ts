/** Files in memory, for simulated nodes: no disk, no threads, the same every time. */
import type { FileStat, Files, Ownership } from "../files.ts";

interface Entry {
  readonly type: "file" | "directory" | "symlink";
  readonly inode: number;
  mode: number;
  data: Buffer;
  target: string;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

/** Links are followed so often at most. Source: Linux MAXSYMLINKS. */
const LINKS_MAX = 40;

export function createMemoryFiles(): Files {
  const entries = new Map<string, Entry>();
  const children = new Map<string, Set<string>>();
  const watchers = new Map<string, Set<() => void>>();
  let inodes = 0;

  const changed = (path: string): void => {
    for (const listener of watchers.get(path) ?? []) listener();
  };
  const put = (path: string, type: Entry["type"], { mode }: Ownership = {}): Entry => {
    const usual = type === "directory" ? 0o755 : 0o644;
    const entry: Entry = { type, inode: ++inodes, mode: mode ?? usual, data: Buffer.alloc(0), target: "" };
    entries.set(path, entry);
    const parent = parentOf(path);
    const siblings = children.get(parent) ?? new Set();
    children.set(parent, siblings.add(path.slice(parent.length + 1)));
    return entry;
  };
  const drop = (path: string): void => {
    entries.delete(path);
    const parent = parentOf(path);
    const siblings = children.get(parent);
    siblings?.delete(path.slice(parent.length + 1));
    if (siblings?.size === 0) children.delete(parent);
    changed(path);
  };
  /** The path behind all links. */
  const follow = (path: string, left = LINKS_MAX): string => {
    if (left === 0) throw new Error(`ELOOP: too many symbolic links, '${path}'`);
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    let at = "";
    for (const [index, part] of parts.entries()) {
      if (part === "..") {
        at = parentOf(at);
        continue;
      }
      const entry = entries.get(`${at}/${part}`);
      if (entry?.type !== "symlink") {
        at = `${at}/${part}`;
        continue;
      }
      const rest = parts.slice(index + 1).join("/");
      const target = entry.target.startsWith("/") ? entry.target : `${at}/${entry.target}`;
      return follow(rest === "" ? target : `${target}/${rest}`, left - 1);
    }
    return at === "" ? "/" : at;
  };
  const makeDirectory = (path: string, ownership?: Ownership): void => {
    if (path === "" || path === "/" || entries.has(path)) return;
    makeDirectory(parentOf(path));
    put(path, "directory", ownership);
  };
  const removeTree = (path: string): void => {
    for (const name of [...(children.get(path) ?? [])]) removeTree(`${path}/${name}`);
    if (entries.has(path)) drop(path);
  };
  const moveTree = (from: string, to: string): void => {
    const entry = entries.get(from);
    if (entry === undefined) throw new Error(`ENOENT: no such file or directory, rename '${from}'`);
    const names = [...(children.get(from) ?? [])];
    removeTree(to);
    const moved = put(to, entry.type, { mode: entry.mode });
    Object.assign(moved, { inode: entry.inode, data: entry.data, target: entry.target });
    for (const name of names) moveTree(`${from}/${name}`, `${to}/${name}`);
    drop(from);
    changed(to);
  };
  const fileAt = (path: string): Entry | undefined => {
    const entry = entries.get(follow(path));
    return entry?.type === "file" ? entry : undefined;
  };
  const write = (path: string, data: Uint8Array | string, isAppend: boolean, ownership?: Ownership): void => {
    const real = follow(path);
    makeDirectory(parentOf(real));
    const entry = fileAt(real) ?? put(real, "file", ownership);
    const bytes = Buffer.from(data as string);
    entry.data = isAppend ? Buffer.concat([entry.data, bytes]) : bytes;
    if (ownership?.mode !== undefined) entry.mode = ownership.mode;
    changed(real);
  };

  return {
    makeDirectory: async (path, ownership) => makeDirectory(path, ownership),
    write: async (path, data, ownership) => write(path, data, false, ownership),
    append: async (path, data) => write(path, data, true),
    read: async (path) => fileAt(path)?.data,
    readAt: async (path, offset, lengthMax) => fileAt(path)?.data.subarray(offset, offset + lengthMax),
    stat: async (path): Promise<FileStat | undefined> => {
      const entry = entries.get(path);
      if (entry === undefined) return undefined;
      const { type, inode, mode, data } = entry;
      return { type, inode, mode, sizeBytes: data.length, modifiedAtMs: 0 };
    },
    list: async (path) => [...(children.get(follow(path)) ?? [])].sort(),
    async symlink(target, path) {
      removeTree(path);
      put(path, "symlink").target = target;
    },
    readLink: async (path) => entries.get(path)?.target || undefined,
    rename: async (from, to) => moveTree(from, to),
    remove: async (path) => removeTree(path),
    setGroup: async () => undefined,
    async setMode(path, mode) {
      const entry = entries.get(path);
      if (entry !== undefined) entry.mode = mode;
    },
    resolve: async (path) => {
      const real = follow(path);
      return real === "/" || entries.has(real) ? real : undefined;
    },
    usedBytes: async (path) =>
      [...entries].reduce((sum, [name, { data }]) => (name.startsWith(`${path}/`) ? sum + data.length : sum), 0),
    mountTmpfs: async () => undefined,
    unmount: async () => undefined,
    watch(path, listener) {
      const listeners = watchers.get(path) ?? new Set();
      watchers.set(path, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) watchers.delete(path);
      };
    },
  };
}
