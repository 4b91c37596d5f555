/**
 * Images on disk, addressed by their content.
 *
 *   blobs/sha256/<hex>         configurations, manifests, layers as they came
 *   layers/<hex of chain id>/  unpacked once, each a lower directory for overlayfs
 *   recipes/<hex>.json         layers that packing made without an archive: how to make it again
 *   digests/<hex>.json         digests of what was packed before, by a fingerprint of its sources
 *   index.json                 names and images
 *
 * Invariants:
 * - Everything appears by a rename, so a crash leaves either nothing or all of it; what is in `tmp/` is garbage.
 * - The index is read again when another process has replaced it, and written under a file lock.
 * - What the index names is complete. Removing an image takes along what no other image needs.
 */
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, readFileSync, statSync } from "node:fs";
import { access, chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../../lib/env.ts";
import { syncFileSystem } from "../nodeEnvironment/systemCalls.ts";
import type { ImageStatus } from "../runtime.ts";
import { decompress } from "./decompress.ts";
import { withFileLock } from "./fileLock.ts";
import { chainIds, digestHex, type ImageConfig, type ImageManifest } from "./oci.ts";
import { formatReference, parseReference } from "./reference.ts";
import { type TarMember, writeTar } from "./tarWriter.ts";
import { unpackLayer } from "./unpackLayer.ts";

/** Letters of a chain id in a directory's name: short, because all lower directories must fit into one mount call. */
const LAYER_NAME_LENGTH = 20;

export interface StoredImage {
  readonly id: string;
  readonly manifestDigest: string;
  readonly manifestType: string;
  readonly layers: readonly { readonly digest: string; readonly chainId: string; readonly size: number }[];
  readonly size: number;
}

interface Index {
  readonly images: Readonly<Record<string, StoredImage>>;
  /** Full name → image id. Names with a digest say where an image came from. */
  readonly names: Readonly<Record<string, string>>;
}

/** How to make a layer's archive out of its unpacked directory. */
interface Recipe {
  readonly chainId: string;
  readonly members: readonly TarMember[];
}

const EMPTY_INDEX: Index = { images: {}, names: {} };

export class ImageStore {
  readonly directory: string;
  readonly #random: Random;
  #index: Index = EMPTY_INDEX;
  #indexVersion = "";

  constructor(options: { directory: string; random: Random }) {
    this.directory = options.directory;
    this.#random = options.random;
    for (const folder of ["blobs/sha256", "layers", "recipes", "digests", "tmp"]) {
      mkdirSync(join(this.directory, folder), { recursive: true });
    }
  }

  /** By name, in any spelling, or id ("sha256:…", also shortened). */
  find(nameOrId: string): StoredImage | undefined {
    const { images, names } = this.#read();
    const named = names[fullNameOf(nameOrId) ?? ""];
    if (named !== undefined) return images[named];
    const id = nameOrId.startsWith("sha256:") ? nameOrId : `sha256:${nameOrId}`;
    if (!/^sha256:[0-9a-f]{4,64}$/.test(id)) return undefined;
    return images[id] ?? Object.values(images).find((image) => image.id.startsWith(id));
  }

  status(nameOrId: string): ImageStatus | undefined {
    const image = this.find(nameOrId);
    return image === undefined ? undefined : this.#statusOf(image);
  }

  list(): readonly ImageStatus[] {
    return Object.values(this.#read().images).map((image) => this.#statusOf(image));
  }

  configOf(image: StoredImage): ImageConfig {
    return JSON.parse(readFileSync(this.#blobPath(image.id), "utf8"));
  }

  /** Lower directories for overlayfs, the topmost first, relative to `layers/`. */
  layerNames(image: StoredImage): readonly string[] {
    return image.layers.map((layer) => layerName(layer.chainId)).reverse();
  }

  get layersDirectory(): string {
    return join(this.directory, "layers");
  }

  async readBlob(digest: string): Promise<Buffer> {
    return readFile(this.#blobPath(digest));
  }

  async hasBlob(digest: string): Promise<boolean> {
    return (await exists(this.#blobPath(digest))) || (await exists(this.#recipePath(digest)));
  }

  /** A blob's bytes; those of a packed layer are made anew. */
  async openBlob(digest: string): Promise<AsyncIterable<Uint8Array>> {
    if (await exists(this.#blobPath(digest))) return createReadStream(this.#blobPath(digest));
    const { chainId, members }: Recipe = JSON.parse(await readFile(this.#recipePath(digest), "utf8"));
    const root = join(this.layersDirectory, layerName(chainId));
    return writeTar(members, ({ path }) => createReadStream(join(root, path)));
  }

  /** @throws Error when the content is not what `expected` promises. */
  async writeBlob(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    expected?: { readonly digest: string; readonly size?: number },
  ): Promise<{ digest: string; size: number }> {
    const path = this.#temporaryPath();
    const hash = createHash("sha256");
    let size = 0;
    const file = await open(path, "wx");
    try {
      for await (const piece of source) {
        hash.update(piece);
        size += piece.length;
        await file.write(piece);
        if (expected?.size !== undefined && size > expected.size) break;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    const digest = `sha256:${hash.digest("hex")}`;
    if (expected !== undefined && (digest !== expected.digest || size !== (expected.size ?? size))) {
      await rm(path);
      throw new Error(`content does not match its digest: want ${expected.digest}, have ${digest} (${size} bytes)`);
    }
    await rename(path, this.#blobPath(digest));
    return { digest, size };
  }

  /** Unpacks a layer whose blob is here, on top of the layers below it. */
  async unpack(layer: {
    digest: string;
    mediaType: string;
    diffId: string;
    below: readonly string[];
  }): Promise<string> {
    const chainId = chainIds([...layer.below.slice(-1), layer.diffId]).at(-1) as string;
    const target = join(this.layersDirectory, layerName(chainId));
    if (await exists(target)) return chainId;
    const below = layer.below.map((id) => join(this.layersDirectory, layerName(id))).reverse();
    await this.#build(target, async (root) => {
      const hash = createHash("sha256");
      const archive = decompress(await this.openBlob(layer.digest));
      await unpackLayer(hashed(archive, hash), root, below);
      const diffId = `sha256:${hash.digest("hex")}`;
      if (diffId !== layer.diffId)
        throw new Error(`wrong diff id calculated on extraction: ${diffId}, want ${layer.diffId}`);
    });
    return chainId;
  }

  /** Adds a layer that `fill` writes as plain files, with no archive: `members` describe it for `openBlob`. */
  async addPackedLayer(layer: {
    diffId: string;
    below: readonly string[];
    members: readonly TarMember[];
    fill: (root: string) => Promise<void>;
  }): Promise<string> {
    const chainId = chainIds([...layer.below.slice(-1), layer.diffId]).at(-1) as string;
    const target = join(this.layersDirectory, layerName(chainId));
    if (!(await exists(target))) await this.#build(target, layer.fill);
    const recipe: Recipe = { chainId, members: layer.members };
    await this.#writeFile(this.#recipePath(layer.diffId), JSON.stringify(recipe));
    return chainId;
  }

  /** A note kept beside the images; losing it costs time, nothing else. */
  async remember(key: string, value: object): Promise<void> {
    await this.#writeFile(join(this.directory, "digests", `${digestHex(key)}.json`), JSON.stringify(value));
  }

  async recall(key: string): Promise<unknown> {
    const path = join(this.directory, "digests", `${digestHex(key)}.json`);
    return (await exists(path)) ? JSON.parse(await readFile(path, "utf8")) : undefined;
  }

  hasLayer(chainId: string): Promise<boolean> {
    return exists(join(this.layersDirectory, layerName(chainId)));
  }

  /** Makes an image of blobs and layers that are here known under `names`. */
  async register(options: {
    manifest: Uint8Array;
    manifestType: string;
    names: readonly string[];
  }): Promise<StoredImage> {
    const { digest: manifestDigest } = await this.writeBlob([options.manifest]);
    const manifest: ImageManifest = JSON.parse(Buffer.from(options.manifest).toString());
    const config: ImageConfig = JSON.parse((await this.readBlob(manifest.config.digest)).toString());
    const chain = chainIds(config.rootfs.diff_ids);
    const layers = manifest.layers.map(({ digest, size }, at) => ({ digest, size, chainId: chain[at] as string }));
    const size = layers.reduce((sum, layer) => sum + layer.size, manifest.config.size);
    const image = { id: manifest.config.digest, manifestDigest, manifestType: options.manifestType, layers, size };
    const names = options.names.flatMap((name) => {
      const reference = parseReference(name);
      const byDigest = formatReference({ ...reference, digest: manifestDigest });
      return [formatReference(reference), byDigest];
    });
    await this.#update((index) => ({
      images: { ...index.images, [image.id]: image },
      names: { ...index.names, ...Object.fromEntries(names.map((name) => [name, image.id])) },
    }));
    return image;
  }

  /** Forgets an image and frees what no other one uses. */
  async remove(nameOrId: string): Promise<void> {
    const image = this.find(nameOrId);
    if (image === undefined) return;
    await this.#update(
      ({ images, names }) => ({
        images: Object.fromEntries(Object.entries(images).filter(([id]) => id !== image.id)),
        names: Object.fromEntries(Object.entries(names).filter(([, id]) => id !== image.id)),
      }),
      () => this.#removeUnused(image),
    );
  }

  async #removeUnused(image: StoredImage): Promise<void> {
    const others = Object.values(this.#read().images);
    const used = new Set(others.flatMap((other) => [other.id, other.manifestDigest, ...other.layers.map(keyOf)]));
    for (const digest of [image.id, image.manifestDigest, ...image.layers.map(keyOf)]) {
      if (used.has(digest)) continue;
      await rm(this.#blobPath(digest), { force: true });
      await rm(this.#recipePath(digest), { force: true });
    }
    const chains = new Set(others.flatMap((other) => other.layers.map((layer) => layer.chainId)));
    for (const { chainId } of image.layers) {
      if (chains.has(chainId)) continue;
      const garbage = this.#temporaryPath();
      await rename(join(this.layersDirectory, layerName(chainId)), garbage).catch(() => undefined);
      await rm(garbage, { recursive: true, force: true });
    }
  }

  #statusOf(image: StoredImage): ImageStatus {
    const names = Object.entries(this.#read().names).flatMap(([name, id]) => (id === image.id ? [name] : []));
    return {
      id: image.id,
      repoTags: names.filter((name) => !name.includes("@")),
      repoDigests: names.filter((name) => name.includes("@")),
      sizeBytes: image.size,
      user: this.configOf(image).config?.User ?? "",
    };
  }

  /** Lets `fill` write a directory, then puts it in place whole, on disk before it is seen. */
  async #build(target: string, fill: (root: string) => Promise<void>): Promise<void> {
    const root = this.#temporaryPath();
    await mkdir(root, { mode: 0o755 });
    try {
      await chmod(root, 0o755);
      await fill(root);
      const directory = await open(root);
      await syncFileSystem(directory.fd).finally(() => directory.close());
      await rename(root, target);
    } catch (error) {
      await rm(root, { recursive: true, force: true });
      if (!(await exists(target))) throw error;
    }
  }

  #read(): Index {
    const path = join(this.directory, "index.json");
    const stats = statSync(path, { throwIfNoEntry: false });
    const version = stats === undefined ? "" : `${stats.ino} ${stats.mtimeMs} ${stats.size}`;
    if (version !== this.#indexVersion) {
      this.#index = stats === undefined ? EMPTY_INDEX : JSON.parse(readFileSync(path, "utf8"));
      this.#indexVersion = version;
    }
    return this.#index;
  }

  async #update(change: (index: Index) => Index, after: () => Promise<void> = async () => {}): Promise<void> {
    await withFileLock(join(this.directory, "lock"), async () => {
      await this.#writeFile(join(this.directory, "index.json"), JSON.stringify(change(this.#read())));
      await after();
    });
  }

  async #writeFile(path: string, content: string): Promise<void> {
    const temporary = this.#temporaryPath();
    const file = await open(temporary, "wx");
    await file.writeFile(content);
    await file.datasync();
    await file.close();
    await rename(temporary, path);
  }

  #temporaryPath(): string {
    return join(this.directory, "tmp", this.#random.uuid());
  }

  #blobPath(digest: string): string {
    return join(this.directory, "blobs/sha256", digestHex(digest));
  }

  #recipePath(digest: string): string {
    return join(this.directory, "recipes", `${digestHex(digest)}.json`);
  }

  /** Throws away what a crash left half done. Only for the one process that owns the store, at its start. */
  async removeUnfinished(): Promise<void> {
    for (const name of await readdir(join(this.directory, "tmp"))) {
      await rm(join(this.directory, "tmp", name), { recursive: true, force: true });
    }
  }
}

const keyOf = (layer: { digest: string }) => layer.digest;
const layerName = (chainId: string) => digestHex(chainId).slice(0, LAYER_NAME_LENGTH);

function fullNameOf(name: string): string | undefined {
  try {
    return formatReference(parseReference(name));
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: ReturnType<typeof createHash>) {
  for await (const piece of source) {
    hash.update(piece);
    yield piece;
  }
}
