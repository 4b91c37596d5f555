import type { Stats } from "node:fs";
import { chmod, copyFile, lchown, link, lstat, lutimes, mkdir, open, readlink, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { deviceNumber, makeNode, S_IFBLK, S_IFCHR, S_IFIFO, setAttribute } from "../nodeEnvironment/systemCalls.ts";
import { readTar, type TarEntry, type TarHeader } from "./tarReader.ts";

/** Marks of deletions in layers. Source: OCI image specification, layer.md, "Whiteouts". */
const WHITEOUT_PREFIX = ".wh.";
const OPAQUE_WHITEOUT = ".wh..wh..opq";
/** Bookkeeping of aufs, never content. */
const AUFS_PREFIX = ".wh..wh.";
const SYMLINKS_MAX = 40;
/** What overlayfs takes for "hides everything below". Source: linux Documentation/filesystems/overlayfs.rst. */
const OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";

/** A directory of the image, as this layer and those below make it. */
interface Place {
  /** In this layer. */
  readonly path: string;
  /** The same directory in the layers below, nearest first. */
  readonly below: readonly string[];
}

const isMissing = (error: unknown) => ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isWhiteout = (stats: Stats) => stats.isCharacterDevice() && stats.rdev === 0;

/**
 * Writes a layer's archive into `root` as an overlayfs lower directory. `below` are the unpacked layers under it, nearest
 * first: a directory that the archive only implies looks as it does there, and links are followed as they are seen
 * there, but never out of the root.
 */
export async function unpackLayer(
  source: AsyncIterable<Uint8Array>,
  root: string,
  below: readonly string[],
): Promise<void> {
  const layer = new LayerWriter(root, below);
  for await (const entry of readTar(source)) await layer.add(entry);
  await layer.finish();
}

class LayerWriter {
  readonly #root: Place;
  readonly #places = new Map<string, Place>();
  readonly #directoryTimes = new Map<string, number>();
  readonly #isRoot = process.getuid?.() === 0;

  constructor(root: string, below: readonly string[]) {
    this.#root = { path: root, below };
  }

  async add({ header, content }: TarEntry): Promise<void> {
    const parts = partsOf(header.path);
    const name = parts.pop();
    if (name === undefined) {
      if (header.type === "directory") await this.#setMetadata(this.#root.path, header);
      return;
    }
    const parent = await this.#directory(parts);
    if (name.startsWith(WHITEOUT_PREFIX)) return this.#whiteout(parent, name);
    const target = join(parent.path, name);
    const existing = await statOf(target);
    if (existing !== undefined && !(existing.isDirectory() && header.type === "directory")) {
      await rm(target, { recursive: true, force: true });
      this.#places.clear();
    }
    await this.#create(header, target, content, existing);
    if (existing !== undefined && isWhiteout(existing) && header.type === "directory") this.#hideBelow(target);
  }

  async finish(): Promise<void> {
    for (const [path, atMs] of this.#directoryTimes) {
      if ((await statOf(path))?.isDirectory()) await lutimes(path, atMs / 1000, atMs / 1000);
    }
  }

  async #create(header: TarHeader, target: string, content: AsyncIterable<Buffer>, existing: Stats | undefined) {
    switch (header.type) {
      case "directory":
        if (!existing?.isDirectory()) await mkdir(target);
        break;
      case "file":
        await writeNew(target, content);
        break;
      case "symlink":
        await symlink(header.linkName, target);
        break;
      case "link":
        return this.#hardLink(header, target);
      case "character":
      case "block":
      case "fifo": {
        const kind = { character: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO }[header.type];
        makeNode(target, kind | 0o600, deviceNumber(header.major, header.minor));
        break;
      }
      case "other":
        return;
    }
    await this.#setMetadata(target, header);
  }

  async #hardLink(header: TarHeader, target: string): Promise<void> {
    const parts = partsOf(header.linkName);
    const name = parts.pop() ?? "";
    const parent = await this.#directory(parts);
    const source = join(parent.path, name);
    if ((await statOf(source)) !== undefined) return link(source, target);
    for (const directory of parent.below) {
      const stats = await statOf(join(directory, name));
      if (stats === undefined) continue;
      await copyFile(join(directory, name), target);
      return this.#setAttributes(target, stats, stats.mtimeMs);
    }
    throw new Error(`${header.path}: hard link to ${header.linkName}, which does not exist`);
  }

  async #whiteout(parent: Place, name: string): Promise<void> {
    if (name === OPAQUE_WHITEOUT) return this.#hideBelow(parent.path);
    if (name.startsWith(AUFS_PREFIX)) return;
    const target = join(parent.path, name.slice(WHITEOUT_PREFIX.length));
    // Within one layer what is there wins over its own whiteout, which then hides only the layers below.
    const existing = await statOf(target);
    if (existing === undefined) makeNode(target, S_IFCHR, 0n);
    else if (existing.isDirectory()) this.#hideBelow(target);
  }

  #hideBelow(directory: string): void {
    setAttribute(directory, OPAQUE_ATTRIBUTE, Buffer.from("y"));
  }

  async #setMetadata(path: string, header: TarHeader): Promise<void> {
    if (header.type === "directory") this.#directoryTimes.set(path, header.modifiedAtMs);
    await this.#setAttributes(path, header, header.modifiedAtMs, header.type === "symlink");
    for (const [name, value] of header.attributes) if (this.#isRoot) setAttribute(path, name, value);
  }

  /** Owner first: changing it clears the set-user-ID bit. */
  async #setAttributes(
    path: string,
    { uid, gid, mode }: { uid: number; gid: number; mode: number },
    modifiedAtMs: number,
    isSymlink: boolean = false,
  ): Promise<void> {
    if (this.#isRoot) await lchown(path, uid, gid);
    if (!isSymlink) await chmod(path, mode & 0o7777);
    await lutimes(path, modifiedAtMs / 1000, modifiedAtMs / 1000);
  }

  /** The directory at `parts`, made where this layer has none. */
  async #directory(parts: readonly string[]): Promise<Place> {
    const key = parts.join("/");
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = await this.#walk([...parts]);
    this.#places.set(key, place);
    return place;
  }

  async #walk(parts: string[]): Promise<Place> {
    const trail: Place[] = [this.#root];
    let symlinks = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const step = await this.#step(trail.at(-1) as Place, part);
      if (typeof step !== "string") {
        trail.push(step);
        continue;
      }
      if (++symlinks > SYMLINKS_MAX) throw new Error(`too many symbolic links at ${part}`);
      if (step.startsWith("/")) trail.length = 1;
      parts.unshift(...step.split("/"));
    }
    return trail.at(-1) as Place;
  }

  /** One component down: the directory, or the target of the symbolic link that stands there. */
  async #step(place: Place, part: string): Promise<Place | string> {
    const path = join(place.path, part);
    const stats = await statOf(path);
    if (stats?.isSymbolicLink()) return readlink(path);
    const { below, seen } = await lookBelow(place.below, part);
    if (stats?.isDirectory()) return { path, below };
    if (stats !== undefined && !isWhiteout(stats)) throw new Error(`${path} is not a directory`);
    if (stats !== undefined) {
      await rm(path);
      await mkdir(path);
      this.#hideBelow(path);
      return { path, below: [] };
    }
    if (seen?.stats.isSymbolicLink()) return readlink(seen.path);
    await mkdir(path);
    if (seen !== undefined) await this.#setAttributes(path, seen.stats, seen.stats.mtimeMs);
    return { path, below };
  }
}

interface Below {
  readonly below: readonly string[];
  /** What is seen there through all layers below. */
  readonly seen: { path: string; stats: Stats } | undefined;
}

async function lookBelow(directories: readonly string[], name: string): Promise<Below> {
  const below: string[] = [];
  let seen: Below["seen"];
  for (const directory of directories) {
    const path = join(directory, name);
    const stats = await statOf(path);
    if (stats === undefined) continue;
    if (isWhiteout(stats)) break;
    seen ??= { path, stats };
    if (!stats.isDirectory()) break;
    below.push(path);
  }
  return { below: seen?.stats.isDirectory() ? below : [], seen };
}

async function writeNew(path: string, content: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const piece of content) await file.write(piece);
  } finally {
    await file.close();
  }
}

/** @throws Error for names that lead out of the root. */
function partsOf(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new Error(`invalid path in layer: ${JSON.stringify(path)}`);
  return parts;
}
