import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  hostArchitecture,
  type ImageConfig,
  type ImageManifest,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_MANIFEST,
  sha256,
} from "../oci.ts";
import { type TestEntry, tarOf } from "./tarOf.ts";

type Compression = "none" | "gzip" | "zstd";
const COMPRESS = { none: (bytes: Buffer) => bytes, gzip: gzipSync, zstd: zstdCompressSync } as const;
const SUFFIX = { none: "", gzip: "+gzip", zstd: "+zstd" } as const;

/** An image as its parts, to be put into archives and registries. */
export interface TestImage {
  readonly config: Buffer;
  readonly manifest: Buffer;
  readonly manifestDigest: string;
  /** Plain archives. */
  readonly layers: readonly Buffer[];
  /** All that the manifest names, by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export async function testImage(
  layers: readonly (readonly TestEntry[])[],
  options: { compression?: Compression; architecture?: string; config?: ImageConfig["config"] } = {},
): Promise<TestImage> {
  const { compression = "none", architecture = hostArchitecture() } = options;
  const plain = await Promise.all(layers.map(tarOf));
  const packed = plain.map((layer) => COMPRESS[compression](layer));
  const document: ImageConfig = {
    architecture,
    os: "linux",
    config: options.config ?? { Cmd: ["/bin/run"] },
    rootfs: { type: "layers", diff_ids: plain.map(sha256) },
  };
  const config = Buffer.from(JSON.stringify(document));
  const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: describe(OCI_CONFIG, config),
    layers: packed.map((layer) => describe(`${OCI_LAYER}${SUFFIX[compression]}`, layer)),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const blobs = new Map([config, bytes, ...packed].map((blob) => [sha256(blob), blob]));
  return { config, manifest: bytes, manifestDigest: sha256(bytes), layers: plain, blobs };
}

/** As `docker save` wrote it before it knew OCI. */
export function dockerArchive(image: TestImage, tags: readonly string[]): Promise<Buffer> {
  const config = `${sha256(image.config).slice(7)}.json`;
  const layers = image.layers.map((_, index) => `${index}/layer.tar`);
  const manifest = [{ Config: config, RepoTags: tags, Layers: layers }];
  return tarOf([
    { name: config, content: image.config },
    ...image.layers.map((content, index) => ({ name: layers[index] as string, content })),
    { name: "manifest.json", content: JSON.stringify(manifest) },
  ]);
}

export function ociArchive(
  images: readonly { image: TestImage; annotations?: Record<string, string> }[],
): Promise<Buffer> {
  const manifests = images.map(({ image, annotations }) => ({
    mediaType: OCI_MANIFEST,
    digest: image.manifestDigest,
    size: image.manifest.length,
    annotations,
  }));
  const blobs = new Map(images.flatMap(({ image }) => [...image.blobs]));
  return tarOf([
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: "index.json", content: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }) },
    ...[...blobs].map(([digest, content]) => ({ name: `blobs/sha256/${digest.slice(7)}`, content })),
  ]);
}
