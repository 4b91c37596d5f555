import type { FileStat, Files } from "../files.ts";
import type { VolumeSource } from "./volumeSource.ts";

const EXPECTED: Readonly<Record<string, FileStat["type"]>> = {
  Directory: "directory",
  File: "file",
  Socket: "socket",
  CharDevice: "character",
  BlockDevice: "block",
};
const NAMES: Readonly<Record<string, string>> = {
  Directory: "a directory",
  File: "a file",
  Socket: "a socket file",
  CharDevice: "a character device",
  BlockDevice: "a block device",
};

async function statOf(files: Files, path: string): Promise<FileStat | undefined> {
  const resolved = await files.resolve(path);
  return resolved === undefined ? undefined : files.stat(resolved);
}

/** Sees that what the type asks for is there. Source: pkg/volume/hostpath checkTypeInternal. */
async function check(files: Files, path: string, type: string): Promise<void> {
  if (type === "") return;
  const stat = await statOf(files, path);
  if (type === "DirectoryOrCreate" && stat === undefined) return files.makeDirectory(path, { mode: 0o755 });
  if (type === "FileOrCreate" && stat === undefined) return files.write(path, "", { mode: 0o644 });
  const kind = type.replace("OrCreate", "");
  const expected = EXPECTED[kind];
  if (expected === undefined || stat?.type === expected) return;
  throw new Error(`hostPath type check failed: ${path} is not ${NAMES[kind]}`);
}

/** A path of the node itself. Without a type a missing folder is made when it is mounted, as container runtimes do. */
export const hostPath: VolumeSource = {
  pluginName: "kubernetes.io~host-path",
  matches: (volume) => volume.hostPath !== undefined,
  async setUp({ files }, { hostPath: source }) {
    const path = source?.path ?? "";
    const type = source?.type ?? "";
    await check(files, path, type);
    if (type === "" && (await files.resolve(path)) === undefined) await files.makeDirectory(path, { mode: 0o755 });
    return { hostPath: path, readOnly: false };
  },
};
