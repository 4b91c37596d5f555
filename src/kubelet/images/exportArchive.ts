import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { digestHex, type ImageIndex, type ImageManifest, OCI_INDEX } from "./oci.ts";
import { normalizeName } from "./reference.ts";
import type { ImageStore } from "./store.ts";
import { type TarMember, writeTar } from "./tarWriter.ts";

const file = (path: string, size: number): TarMember => ({ path, type: "file", mode: 0o644, size });
const directory = (path: string): TarMember => ({ path, type: "directory", mode: 0o755, size: 0 });

/**
 * Writes an image as an OCI archive that docker, podman, skopeo, containerd and we load.
 * @throws Error when the store has no such image.
 */
export async function exportArchive(store: ImageStore, name: string, path: string): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    await pipeline(imageArchive(store, name), createWriteStream(temporary));
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function* imageArchive(store: ImageStore, name: string): AsyncGenerator<Uint8Array, void> {
  const image = store.find(name);
  if (image === undefined) throw new Error(`image ${JSON.stringify(name)} is not here`);
  const manifestBytes = await store.readBlob(image.manifestDigest);
  const manifest: ImageManifest = JSON.parse(manifestBytes.toString());
  const blobs = new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob.size]));
  blobs.set(image.manifestDigest, manifestBytes.length);
  const layout = documents({ ...image, manifestSize: manifestBytes.length }, name, manifest);
  const members = [
    ...[...layout].map(([path, content]) => file(path, content.length)),
    directory("blobs"),
    directory("blobs/sha256"),
    ...[...blobs].map(([digest, size]) => file(`blobs/sha256/${digestHex(digest)}`, size)),
  ];
  const content = async function* ({ path }: TarMember) {
    const document = layout.get(path);
    if (document !== undefined) yield document;
    else yield* await store.openBlob(`sha256:${path.slice("blobs/sha256/".length)}`);
  };
  yield* writeTar(members, content);
}

/** The files beside the blobs: of the OCI layout, and `manifest.json`, which older docker reads instead. */
function documents(
  image: { id: string; manifestDigest: string; manifestType: string; manifestSize: number },
  name: string,
  manifest: ImageManifest,
): ReadonlyMap<string, Buffer> {
  const isId = name.startsWith("sha256:") || image.id.startsWith(`sha256:${name}`);
  const fullName = isId ? undefined : normalizeName(name);
  const annotations = fullName === undefined ? undefined : { "io.containerd.image.name": fullName };
  const { manifestType: mediaType, manifestDigest: digest, manifestSize: size } = image;
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [{ mediaType, digest, size, annotations }],
  };
  const blob = (of: string) => `blobs/sha256/${digestHex(of)}`;
  const docker = [
    {
      Config: blob(manifest.config.digest),
      RepoTags: fullName === undefined || fullName.includes("@") ? [] : [fullName],
      Layers: manifest.layers.map((layer) => blob(layer.digest)),
    },
  ];
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  return new Map([
    ["oci-layout", json({ imageLayoutVersion: "1.0.0" })],
    ["index.json", json(index)],
    ["manifest.json", json(docker)],
  ]);
}
