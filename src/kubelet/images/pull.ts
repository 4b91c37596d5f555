import type { Env } from "../../lib/env.ts";
import type { ImageStatus, RegistryCredential } from "../runtime.ts";
import {
  chainIds,
  DOCKER_LIST,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  OCI_INDEX,
  selectPlatform,
  sha256,
} from "./oci.ts";
import { formatReference, parseReference } from "./reference.ts";
import { type RegistryClient, registryClient } from "./registryClient.ts";
import type { ImageStore } from "./store.ts";

/** Layers fetched at once. Source: containerd cri, max_concurrent_downloads. */
const DOWNLOADS_MAX = 3;

/** Brings an image from its registry into the store. @throws Error "failed to pull and unpack image …". */
export async function pullImage(options: {
  readonly store: ImageStore;
  readonly name: string;
  readonly credentials: readonly RegistryCredential[];
  readonly env: Env;
  readonly signal?: AbortSignal;
}): Promise<ImageStatus> {
  const { store, name, credentials, env, signal } = options;
  const reference = parseReference(name);
  try {
    const client = registryClient({ reference, credentials, env, signal });
    const target = reference.digest ?? reference.tag ?? "latest";
    const { bytes, mediaType } = await fetchManifest(client, target);
    const manifest: ImageManifest = JSON.parse(bytes.toString());
    await fetchBlobs(client, store, manifest);
    await unpackLayers(store, manifest);
    const image = await store.register({ manifest: bytes, manifestType: mediaType, names: [name] });
    return store.status(image.id) as ImageStatus;
  } catch (error) {
    throw new Error(`failed to pull and unpack image "${formatReference(reference)}": ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The manifest for this machine, through an index where there is one; what was asked for by digest must match it. */
async function fetchManifest(client: RegistryClient, target: string): Promise<{ bytes: Buffer; mediaType: string }> {
  const found = await client.manifest(target);
  if (target.startsWith("sha256:") && sha256(found.bytes) !== target) {
    throw new Error(`the manifest does not match its digest: want ${target}, have ${sha256(found.bytes)}`);
  }
  const document: Partial<ImageIndex> = JSON.parse(found.bytes.toString());
  const isIndex = found.mediaType === OCI_INDEX || found.mediaType === DOCKER_LIST || document.manifests !== undefined;
  if (!isIndex) return found;
  return fetchManifest(client, selectPlatform(document as ImageIndex).digest);
}

async function fetchBlobs(client: RegistryClient, store: ImageStore, manifest: ImageManifest): Promise<void> {
  const queue = [manifest.config, ...manifest.layers];
  const work = async () => {
    for (let blob = queue.shift(); blob !== undefined; blob = queue.shift()) {
      if (!(await store.hasBlob(blob.digest))) await store.writeBlob(await client.blob(blob.digest), blob);
    }
  };
  await Promise.all(Array.from({ length: DOWNLOADS_MAX }, work));
}

/** One after the other: each is written as seen through those below it. */
export async function unpackLayers(store: ImageStore, manifest: ImageManifest): Promise<void> {
  const config: ImageConfig = JSON.parse((await store.readBlob(manifest.config.digest)).toString());
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) throw new Error("the image's configuration does not fit its layers");
  const chain = chainIds(diffIds);
  for (const [index, layer] of manifest.layers.entries()) {
    await store.unpack({ ...layer, diffId: diffIds[index] as string, below: chain.slice(0, index) });
  }
}
