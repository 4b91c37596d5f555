/**
 * Writes a set of files so that a reader sees either all of the old or all of the new: the files lie in a folder named
 * by time, `..data` points to it, and each visible name points through `..data`.
 *
 * Worked history: ..2026_01_01_00_00_00.1/a, ..data → it, a → ..data/a; then ..2026_01_01_00_01_00.2/a, ..data is
 * replaced by a rename, the first folder is removed.
 * Source: kubernetes pkg/volume/util/atomic_writer.go.
 */
import type { Env } from "../../lib/env.ts";
import type { Files } from "../files.ts";

export interface ProjectedFile {
  readonly data: Uint8Array | string;
  readonly mode: number;
  readonly uid?: number;
}

/** By relative path. */
export type Payload = ReadonlyMap<string, ProjectedFile>;

const DATA_LINK = "..data";
const NEW_DATA_LINK = "..data_tmp";

const bytesOf = (data: Uint8Array | string): Uint8Array => (typeof data === "string" ? Buffer.from(data) : data);

async function isSame(files: Files, directory: string, current: string, payload: Payload): Promise<boolean> {
  for (const [path, { data, mode }] of payload) {
    const full = `${directory}/${current}/${path}`;
    const [existing, stat] = await Promise.all([files.read(full), files.stat(full)]);
    if (existing === undefined || (stat !== undefined && (stat.mode & 0o777) !== mode)) return false;
    if (Buffer.compare(existing, bytesOf(data)) !== 0) return false;
  }
  return (await allFiles(files, `${directory}/${current}`, "")).length === payload.size;
}

async function allFiles(files: Files, root: string, below: string): Promise<readonly string[]> {
  const names = await files.list(`${root}${below}`);
  const nested = await Promise.all(
    names.map(async (name) => {
      const path = `${below}/${name}`;
      const stat = await files.stat(`${root}${path}`);
      return stat?.type === "directory" ? allFiles(files, root, path) : [path.slice(1)];
    }),
  );
  return nested.flat();
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

/** "2026_01_01_00_00_00.123456789": sorts by time, never twice the same. */
function folderName({ clock, random }: Env): string {
  const [date = "", time = ""] = new Date(clock.now()).toISOString().split("T");
  return `..${date.replaceAll("-", "_")}_${time.slice(0, 8).replaceAll(":", "_")}.${random.int(1_000_000_000)}`;
}

/** Visible names: the first part of each path. */
const topNames = (payload: Payload): ReadonlySet<string> =>
  new Set([...payload.keys()].map((path) => path.split("/")[0] as string));

/** @returns whether anything was written. */
export async function writeAtomically(
  { env, files }: { readonly env: Env; readonly files: Files },
  directory: string,
  payload: Payload,
  options: { readonly gid?: number } = {},
): Promise<boolean> {
  await files.makeDirectory(directory, { mode: 0o777 });
  const current = await files.readLink(`${directory}/${DATA_LINK}`);
  if (current !== undefined && (await isSame(files, directory, current, payload))) return false;
  const folder = folderName(env);
  await files.makeDirectory(`${directory}/${folder}`, { mode: 0o755 });
  for (const [path, { data, mode, uid }] of payload) {
    const full = `${directory}/${folder}/${path}`;
    if (path.includes("/")) await files.makeDirectory(parentOf(full), { mode: 0o755 });
    await files.write(full, data, { mode, ...(uid !== undefined && { uid }) });
  }
  if (options.gid !== undefined) await files.setGroup(`${directory}/${folder}`, options.gid);
  await files.symlink(folder, `${directory}/${NEW_DATA_LINK}`);
  await files.rename(`${directory}/${NEW_DATA_LINK}`, `${directory}/${DATA_LINK}`);
  await linkNames(files, directory, topNames(payload));
  if (current !== undefined) await files.remove(`${directory}/${current}`);
  return true;
}

async function linkNames(files: Files, directory: string, names: ReadonlySet<string>): Promise<void> {
  const existing = (await files.list(directory)).filter((name) => !name.startsWith(".."));
  for (const name of names) {
    if (!existing.includes(name)) await files.symlink(`${DATA_LINK}/${name}`, `${directory}/${name}`);
  }
  for (const name of existing) if (!names.has(name)) await files.remove(`${directory}/${name}`);
}
