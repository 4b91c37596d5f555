/**
 * The files that the kubelet needs, as a small interface: real ones in volumes/diskFiles.ts, and in memory for simulated
 * nodes (volumes/memoryFiles.ts), which touch no disk. Paths are absolute.
 */
export interface FileStat {
  readonly type: "file" | "directory" | "symlink" | "socket" | "block" | "character" | "other";
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Tells a file from its successor of the same name. */
  readonly inode: number;
  readonly modifiedAtMs: number;
}

export interface Ownership {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Files {
  /** With its parents; nothing happens to one that is there. */
  makeDirectory(path: string, ownership?: Ownership): Promise<void>;
  /** Replaces what is there. */
  write(path: string, data: Uint8Array | string, ownership?: Ownership): Promise<void>;
  append(path: string, data: Uint8Array | string): Promise<void>;
  /** Undefined: there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** At most `lengthMax` bytes from `offset`; empty at the end. Undefined: there is none. */
  readAt(path: string, offset: number, lengthMax: number): Promise<Uint8Array | undefined>;
  /** Of the path itself, symbolic links not followed. Undefined: there is none. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Names in a folder, sorted; none where there is no folder. */
  list(path: string): Promise<readonly string[]>;
  symlink(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string | undefined>;
  rename(from: string, to: string): Promise<void>;
  /** With all that is in it. What is not there is no error. Never goes into a mount. */
  remove(path: string): Promise<void>;
  /** Sets owner and mode; `recursive` for all below too. A group is given read and write, and folders keep it. */
  setGroup(path: string, gid: number): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** The absolute path with every symbolic link resolved. Undefined: there is none. */
  resolve(path: string): Promise<string | undefined>;
  /** Bytes used by all files below, without crossing mounts. */
  usedBytes(path: string): Promise<number>;
  /** Nothing happens where one is mounted already. */
  mountTmpfs(path: string, sizeBytes: number | undefined): Promise<void>;
  /** Nothing happens where none is mounted. */
  unmount(path: string): Promise<void>;
  /** Calls `changed` when the file is written to, replaced or renamed. @returns how to stop. */
  watch(path: string, changed: () => void): () => void;
}
