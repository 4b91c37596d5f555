import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  chmod,
  copyFile,
  constants as fileConstants,
  mkdir,
  realpath,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, join, posix } from "node:path";
import {
  hostArchitecture,
  type ImageConfig,
  type ImageManifest,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
  sha256,
} from "./oci.ts";
import { placeInImage, sharedLibraries } from "./sharedLibraries.ts";
import type { ImageStore, StoredImage } from "./store.ts";
import { type TarMember, writeTar } from "./tarWriter.ts";

export interface PackedProgram {
  /** On this machine. */
  readonly source: string;
  /** In the image; default `/usr/local/bin/<name>`. */
  readonly path?: string;
}

/** A file of the image: a copy of one of this machine's, the given content, or a symbolic link. */
export type PackedFile = { readonly path: string; readonly mode?: number } & (
  | { readonly source: string }
  | { readonly content: string | Uint8Array }
  | { readonly linkTo: string }
);

export interface PackImageOptions {
  /** "go-api:0.0.2" */
  readonly name: string;
  /** Each goes in with the shared libraries that it needs. */
  readonly programs: readonly PackedProgram[];
  readonly files?: readonly PackedFile[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** "KEY=value" */
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly stopSignal?: string;
  /** "8080/tcp" */
  readonly exposedPorts?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** A member of a layer and where its content comes from. */
interface Source extends TarMember {
  readonly from?: string | Uint8Array;
}

const DEFAULT_PROGRAM_DIRECTORY = "/usr/local/bin";
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Times would make equal images differ. */
const CREATED = "1970-01-01T00:00:00Z";

/**
 * Makes an image out of programs of this machine, straight in the store. The programs and their libraries are one layer,
 * the files another; nothing is archived or compressed, and a layer whose sources have not changed is not read again.
 * Equal content gives equal digests.
 */
export async function packImage(store: ImageStore, options: PackImageOptions): Promise<StoredImage> {
  const layers = [await programMembers(options.programs), await fileMembers(options.files ?? [])];
  const packed: { diffId: string; size: number; chainId: string }[] = [];
  for (const members of layers) {
    if (members.length === 0) continue;
    const below = packed.map((layer) => layer.chainId);
    packed.push(await packLayer(store, members, below));
  }
  const config = await store.writeBlob([
    Buffer.from(
      JSON.stringify(
        configOf(
          options,
          packed.map((layer) => layer.diffId),
        ),
      ),
    ),
  ]);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...config },
    layers: packed.map(({ diffId, size }) => ({ mediaType: OCI_LAYER, digest: diffId, size })),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return store.register({ manifest: bytes, manifestType: OCI_MANIFEST, names: [options.name] });
}

function configOf(options: PackImageOptions, diffIds: readonly string[]): ImageConfig {
  const program = options.programs[0];
  const entrypoint = options.entrypoint ?? (program === undefined ? [] : [pathOf(program)]);
  const ports = (options.exposedPorts ?? []).map((port) => [port, {}] as const);
  return {
    created: CREATED,
    architecture: hostArchitecture(),
    os: "linux",
    config: {
      Env: [DEFAULT_PATH, ...(options.env ?? [])],
      Entrypoint: entrypoint,
      ...(options.cmd === undefined ? {} : { Cmd: options.cmd }),
      ...(options.workingDir === undefined ? {} : { WorkingDir: options.workingDir }),
      ...(options.user === undefined ? {} : { User: options.user }),
      ...(options.stopSignal === undefined ? {} : { StopSignal: options.stopSignal }),
      ...(options.labels === undefined ? {} : { Labels: options.labels }),
      ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports) }),
    },
    rootfs: { type: "layers", diff_ids: diffIds },
  };
}

const pathOf = ({ source, path }: PackedProgram) => path ?? posix.join(DEFAULT_PROGRAM_DIRECTORY, basename(source));

async function programMembers(programs: readonly PackedProgram[]): Promise<readonly Source[]> {
  const sources = new Map<string, string>();
  for (const program of programs) {
    const libraries = await sharedLibraries(program.source);
    for (const library of libraries) sources.set(placeInImage(library, libraries), await realpath(library));
    sources.set(pathOf(program), await realpath(program.source));
  }
  const files = [...sources].map(([path, from]) => fileMember({ path, source: from, mode: 0o755 }));
  const directories = programs.length === 0 ? [] : [directoryMember("tmp", 0o1777)];
  return withParents([...directories, ...(await Promise.all(files))]);
}

async function fileMembers(files: readonly PackedFile[]): Promise<readonly Source[]> {
  return withParents(await Promise.all(files.map(fileMember)));
}

async function fileMember(file: PackedFile): Promise<Source> {
  const path = inside(file.path);
  if ("linkTo" in file) return { path, type: "symlink", mode: 0o777, size: 0, linkName: file.linkTo };
  if ("content" in file) {
    const from = Buffer.from(file.content as Uint8Array);
    return { path, type: "file", mode: file.mode ?? 0o644, size: from.length, from };
  }
  const { size, mode } = await stat(file.source);
  return { path, type: "file", mode: file.mode ?? mode & 0o755, size, from: file.source };
}

/** @throws Error for paths out of the image. */
function inside(path: string): string {
  const clean = posix.join("/", path).slice(1);
  if (clean === "" || path.split("/").includes(".."))
    throw new Error(`invalid path in an image: ${JSON.stringify(path)}`);
  return clean.replace(/\/$/, "");
}

const directoryMember = (path: string, mode: number = 0o755): Source => ({ path, type: "directory", mode, size: 0 });

/** Adds the directories that the members lie in; sorted, so that parents come first. */
function withParents(members: readonly Source[]): readonly Source[] {
  const all = new Map(members.map((member) => [member.path, member]));
  for (const { path } of members) {
    for (let parent = posix.dirname(path); parent !== "."; parent = posix.dirname(parent)) {
      if (!all.has(parent)) all.set(parent, directoryMember(parent));
    }
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function packLayer(store: ImageStore, members: readonly Source[], below: readonly string[]) {
  const plain = members.map(({ from: _, ...member }) => member);
  const { diffId, size } = await layerDigest(store, members, plain);
  const fill = (root: string) => writeMembers(root, members);
  return { diffId, size, chainId: await store.addPackedLayer({ diffId, below, members: plain, fill }) };
}

/** Digest and size of the layer's archive, which is never written; remembered by what stat says of its sources. */
async function layerDigest(store: ImageStore, members: readonly Source[], plain: readonly TarMember[]) {
  const key = sha256(JSON.stringify([plain, await Promise.all(members.map(fingerprint))]));
  const known = await store.recall(key);
  if (known !== undefined) return known as { diffId: string; size: number };
  const sources = new Map(members.map((member) => [member.path, member.from]));
  const hash = createHash("sha256");
  let size = 0;
  const content = ({ path }: TarMember) => {
    const from = sources.get(path) as string | Uint8Array;
    return typeof from === "string" ? createReadStream(from, { highWaterMark: 1 << 20 }) : [from];
  };
  for await (const piece of writeTar(plain, content)) {
    hash.update(piece);
    size += piece.length;
  }
  const digest = { diffId: `sha256:${hash.digest("hex")}`, size };
  await store.remember(key, digest);
  return digest;
}

/** Changes whenever the source may have changed. */
async function fingerprint({ from }: Source): Promise<string> {
  if (from === undefined) return "";
  if (typeof from !== "string") return sha256(from);
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(from, { bigint: true });
  return [from, dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

async function writeMembers(root: string, members: readonly Source[]): Promise<void> {
  for (const { path, type, mode, linkName, from } of members) {
    const target = join(root, path);
    if (type === "directory") await mkdir(target);
    else if (type === "symlink") await symlink(linkName as string, target);
    else if (typeof from === "string") await copyFile(from, target, fileConstants.COPYFILE_FICLONE);
    else await writeFile(target, from as Uint8Array);
    if (type !== "symlink") await chmod(target, mode);
  }
}
