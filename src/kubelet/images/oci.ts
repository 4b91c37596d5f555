import { createHash } from "node:crypto";

/** The documents of the OCI image specification, as far as they are used here. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
}

/** What a container of the image runs, and how. */
export interface ImageProcess {
  readonly User?: string;
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly created?: string;
  readonly config?: ImageProcess;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
}

export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST];

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The hexadecimal part of a digest. @throws Error for anything but a well-formed sha256, so it is safe in a path. */
export function digestHex(digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
  if (match === null) throw new Error(`unsupported digest ${JSON.stringify(digest)}`);
  return match[1] as string;
}

/** Identifies a layer together with all below it. Source: OCI image specification, config.md, "Layer ChainID". */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
  }
  return chain;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** This machine in the words of images: "amd64", "arm64". */
export const hostArchitecture = (): string => ARCHITECTURES[process.arch] ?? process.arch;

/** The manifest for this machine in an index. @throws Error when there is none. */
export function selectPlatform(index: ImageIndex, architecture: string = hostArchitecture()): Descriptor {
  const fits = ({ platform }: Descriptor) =>
    platform === undefined || (platform.os === "linux" && platform.architecture === architecture);
  const manifest =
    index.manifests.find((entry) => entry.platform !== undefined && fits(entry)) ?? index.manifests.find(fits);
  if (manifest === undefined) throw new Error(`no match for platform in manifest: linux/${architecture}`);
  return manifest;
}
