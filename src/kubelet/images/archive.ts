import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { decompress } from "./decompress.ts";
import {
  type Descriptor,
  DOCKER_LIST,
  digestHex,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_MANIFEST,
  selectPlatform,
  sha256,
} from "./oci.ts";
import { unpackLayers } from "./pull.ts";
import { normalizeName } from "./reference.ts";
import type { ImageStore, StoredImage } from "./store.ts";
import { readTar } from "./tarReader.ts";

/** Names in an index. Sources: containerd images/annotations.go; OCI image specification, annotations.md. */
const CONTAINERD_NAME = "io.containerd.image.name";
const REFERENCE_NAME = "org.opencontainers.image.ref.name";
/** Documents are small; larger ones are not read into memory. */
const DOCUMENT_BYTES_MAX = 8 << 20;

export interface LoadedImage {
  readonly image: StoredImage;
  /** Full names. */
  readonly names: readonly string[];
}

/** One image of `docker save`. Source: moby image specification v1.2, "manifest.json". */
interface DockerManifestEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/**
 * Loads every image of an archive: `docker save`, `podman save`, or an OCI layout in a tar, plain or compressed.
 * @throws Error when it is none of these, or when content does not match its digest.
 */
export async function loadArchive(
  store: ImageStore,
  source: string | AsyncIterable<Uint8Array>,
  options: { readonly names?: readonly string[] } = {},
): Promise<readonly LoadedImage[]> {
  const directory = await mkdtemp(join(tmpdir(), "skiff-load-"));
  try {
    const archive = await openArchive(source, join(directory, "archive.tar"));
    const images = archive.has("index.json") ? await loadLayout(store, archive) : await loadDocker(store, archive);
    if (images.length === 0) throw new Error("the archive holds no image for this machine");
    return await nameImages(store, images, options.names ?? []);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A manifest and all that it names are in the store. */
interface Loaded {
  readonly manifest: Buffer;
  readonly manifestType: string;
  readonly names: readonly string[];
}

async function nameImages(store: ImageStore, images: readonly Loaded[], given: readonly string[]) {
  const loaded: LoadedImage[] = [];
  for (const { manifest, manifestType, names } of images) {
    const all = [...new Set([...names, ...(images.length === 1 ? given : [])].map(normalizeName))];
    loaded.push({ image: await store.register({ manifest, manifestType, names: all }), names: all });
  }
  return loaded;
}

/** Random access to a tar file, by the names of its entries. */
interface Archive {
  has(name: string): boolean;
  read(name: string): AsyncIterable<Uint8Array>;
  document<T>(name: string): Promise<T>;
}

/** What is compressed or comes from a pipe is written to a plain file first, because documents follow what they name. */
async function openArchive(source: string | AsyncIterable<Uint8Array>, plainPath: string): Promise<Archive> {
  const isPlain = typeof source === "string" && (await isTar(source));
  const path = isPlain ? source : plainPath;
  if (!isPlain) {
    const input = typeof source === "string" ? createReadStream(source) : source;
    await pipeline(decompress(input), createWriteStream(plainPath));
  }
  return indexArchive(path);
}

async function isTar(path: string): Promise<boolean> {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(262), 0, 262, 0).finally(() => file.close());
  return buffer.toString("latin1", 257, 262) === "ustar";
}

async function indexArchive(path: string): Promise<Archive> {
  const entries = new Map<string, { start: number; size: number } | { link: string }>();
  for await (const { header, offset } of readTar(createReadStream(path, { highWaterMark: 1 << 20 }))) {
    const name = posix.normalize(header.path).replace(/^\/+/, "");
    if (header.type === "file") entries.set(name, { start: offset, size: header.size });
    if (header.type === "link") entries.set(name, { link: posix.normalize(header.linkName) });
    if (header.type === "symlink") entries.set(name, { link: posix.join(posix.dirname(name), header.linkName) });
  }
  const find = (name: string, depth: number = 0): { start: number; size: number } | undefined => {
    const entry = entries.get(posix.normalize(name));
    return entry !== undefined && "link" in entry && depth < 8 ? find(entry.link, depth + 1) : (entry as undefined);
  };
  const read = (name: string): AsyncIterable<Uint8Array> => {
    const entry = find(name);
    if (entry === undefined) throw new Error(`the archive lacks ${name}`);
    if (entry.size === 0) return (async function* () {})();
    return createReadStream(path, { start: entry.start, end: entry.start + entry.size - 1 });
  };
  return {
    has: (name) => find(name) !== undefined,
    read,
    async document(name) {
      if ((find(name)?.size ?? 0) > DOCUMENT_BYTES_MAX) throw new Error(`${name} in the archive is too large`);
      return JSON.parse((await collect(read(name))).toString());
    },
  };
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

const blobPath = (digest: string) => `blobs/sha256/${digestHex(digest)}`;

/** An OCI layout, which newer `docker save` writes too. */
async function loadLayout(store: ImageStore, archive: Archive): Promise<Loaded[]> {
  const index = await archive.document<ImageIndex>("index.json");
  const docker = archive.has("manifest.json") ? await archive.document<DockerManifestEntry[]>("manifest.json") : [];
  const byManifest = new Map<string, { descriptor: Descriptor; names: string[] }>();
  for (const entry of index.manifests) {
    const descriptor = await resolveManifest(archive, entry);
    if (descriptor === undefined) continue;
    const known = byManifest.get(descriptor.digest) ?? { descriptor, names: [] };
    byManifest.set(descriptor.digest, { ...known, names: [...known.names, ...namesOf(entry)] });
  }
  const loaded: Loaded[] = [];
  for (const { descriptor, names } of byManifest.values()) {
    const manifest = await collect(archive.read(blobPath(descriptor.digest)));
    if (sha256(manifest) !== descriptor.digest) throw new Error(`${descriptor.digest} does not match its content`);
    const parsed: ImageManifest = JSON.parse(manifest.toString());
    const tags = docker.filter(({ Config }) => Config.includes(digestHex(parsed.config.digest)));
    for (const blob of [parsed.config, ...parsed.layers]) await addBlob(store, archive, blob);
    await unpackLayers(store, parsed);
    const manifestType = parsed.mediaType ?? descriptor.mediaType ?? OCI_MANIFEST;
    loaded.push({ manifest, manifestType, names: [...names, ...tags.flatMap((entry) => entry.RepoTags ?? [])] });
  }
  return loaded;
}

/** Undefined: attestations and the like, and indexes without an image for this machine in the archive. */
async function resolveManifest(archive: Archive, entry: Descriptor): Promise<Descriptor | undefined> {
  if (entry.platform?.os === "unknown" || !archive.has(blobPath(entry.digest))) return undefined;
  if (entry.mediaType !== OCI_INDEX && entry.mediaType !== DOCKER_LIST) return entry;
  const index = await archive.document<ImageIndex>(blobPath(entry.digest));
  return resolveManifest(archive, selectPlatform(index));
}

/** A bare tag is no name: it needs a repository, which an OCI layout does not have. */
function namesOf({ annotations = {} }: Descriptor): string[] {
  const full = annotations[CONTAINERD_NAME];
  if (full !== undefined) return [full];
  const reference = annotations[REFERENCE_NAME];
  return reference !== undefined && /[/:]/.test(reference) ? [reference] : [];
}

async function addBlob(store: ImageStore, archive: Archive, blob: Descriptor): Promise<void> {
  if (!(await store.hasBlob(blob.digest))) await store.writeBlob(archive.read(blobPath(blob.digest)), blob);
}

/** `docker save` of old: layers are plain archives, and there is no manifest to keep, so one is made. */
async function loadDocker(store: ImageStore, archive: Archive): Promise<Loaded[]> {
  if (!archive.has("manifest.json")) throw new Error("the archive has neither index.json nor manifest.json");
  const loaded: Loaded[] = [];
  for (const entry of await archive.document<DockerManifestEntry[]>("manifest.json")) {
    const config = await store.writeBlob(archive.read(entry.Config));
    const parsed: ImageConfig = JSON.parse((await store.readBlob(config.digest)).toString());
    const layers: Descriptor[] = [];
    for (const [index, name] of entry.Layers.entries()) {
      const diffId = parsed.rootfs.diff_ids[index];
      if (diffId === undefined) throw new Error(`${entry.Config} does not name the layer ${name}`);
      layers.push({ mediaType: OCI_LAYER, ...(await store.writeBlob(archive.read(name))) });
    }
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, ...config },
      layers,
    };
    await unpackLayers(store, manifest);
    const bytes = Buffer.from(JSON.stringify(manifest));
    loaded.push({ manifest: bytes, manifestType: OCI_MANIFEST, names: entry.RepoTags ?? [] });
  }
  return loaded;
}
