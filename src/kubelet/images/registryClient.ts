import type { Env } from "../../lib/env.ts";
import type { RegistryCredential } from "../runtime.ts";
import { MANIFEST_TYPES } from "./oci.ts";
import { formatReference, type ImageReference } from "./reference.ts";
import { requestFailure } from "./requestFailure.ts";

/** Docker Hub answers under another name than it is called by. Source: containerd remotes/docker/registry.go, DefaultHost. */
const HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };
/** Names under which credentials for Docker Hub are kept. Source: docker config, `docker login` without a server. */
const DOCKER_HUB_NAMES = ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"];
const ATTEMPTS_MAX = 3;
const RETRY_DELAY_MS = 500;
/** Manifests are small. Source: containerd and distribution cap them at 4 MiB. */
const MANIFEST_BYTES_MAX = 4 << 20;

export interface RegistryClient {
  manifest(reference: string): Promise<{ bytes: Buffer; mediaType: string }>;
  blob(digest: string): Promise<AsyncIterable<Uint8Array>>;
}

export interface RegistryClientOptions {
  readonly reference: ImageReference;
  readonly credentials: readonly RegistryCredential[];
  readonly env: Env;
  readonly signal?: AbortSignal;
}

/** Speaks the OCI distribution protocol for one repository. */
export function registryClient({ reference, credentials, env, signal }: RegistryClientOptions): RegistryClient {
  const host = HOSTS[reference.registry] ?? reference.registry;
  const base = `${isLoopback(host) ? "http" : "https"}://${host}/v2/${reference.repository}`;
  const credential = credentials.find(({ registry }) => matches(registry, reference.registry));
  let authorization: string | undefined;

  const once = async (path: string, accept: string): Promise<Response> => {
    const headers = { accept, ...(authorization === undefined ? {} : { authorization }) };
    const response = await fetch(`${base}/${path}`, { headers, signal });
    const challenge = response.headers.get("www-authenticate");
    if (response.status !== 401 || challenge === null || authorization !== undefined) return response;
    await response.body?.cancel();
    authorization = await authorize(challenge, credential, reference.repository, signal);
    return once(path, accept);
  };

  const get = async (path: string, accept: string): Promise<Response> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await once(path, accept);
        if (response.ok) return response;
        await response.body?.cancel();
        if (attempt >= ATTEMPTS_MAX || !isTransient(response.status)) throw failure(reference, response);
      } catch (error) {
        if (attempt >= ATTEMPTS_MAX || signal?.aborted || error instanceof RegistryError)
          throw explain(error, reference, `${base}/${path}`);
      }
      await env.clock.sleep(RETRY_DELAY_MS * attempt, signal);
    }
  };

  return {
    async manifest(target) {
      const response = await get(`manifests/${target}`, MANIFEST_TYPES.join(", "));
      const bytes = Buffer.from(await response.arrayBuffer());
      if (bytes.length > MANIFEST_BYTES_MAX)
        throw new RegistryError(`the manifest is too large (${bytes.length} bytes)`);
      const named = (JSON.parse(bytes.toString()) as { mediaType?: string }).mediaType;
      return { bytes, mediaType: named ?? (response.headers.get("content-type") ?? "").split(";", 1)[0] ?? "" };
    },
    async blob(digest) {
      const response = await get(`blobs/${digest}`, "*/*");
      return response.body as unknown as AsyncIterable<Uint8Array>;
    },
  };
}

class RegistryError extends Error {}

const isTransient = (status: number) => status === 408 || status === 429 || status >= 500;

/** In the words that containerd has for it, which people know to read. */
function failure(reference: ImageReference, { status, statusText }: Response): Error {
  const name = formatReference(reference);
  if (status === 404) return new RegistryError(`failed to resolve reference "${name}": ${name}: not found`);
  if (status === 401 || status === 403) {
    return new RegistryError(
      `failed to resolve reference "${name}": pull access denied, repository does not exist or may require authorization`,
    );
  }
  return new RegistryError(
    `failed to resolve reference "${name}": unexpected status from GET request: ${status} ${statusText}`,
  );
}

/** What containerd was about to do. Source: containerd core/remotes/docker, resolver.go and fetcher.go. */
function attempted(reference: ImageReference, url: string): string {
  if (url.includes("/manifests/"))
    return `failed to resolve reference "${formatReference(reference)}": failed to do request: Head "${url}"`;
  return `failed to copy: httpReadSeeker: failed open: failed to do request: Get "${url}"`;
}

function explain(error: unknown, reference: ImageReference, url: string): Error {
  if (error instanceof RegistryError) return error;
  return new Error(`${attempted(reference, url)}: ${requestFailure(error, new URL(url))}`, { cause: error });
}

/** Plain HTTP is for registries on this machine only. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

function matches(credentialRegistry: string, registry: string): boolean {
  if (registry === "docker.io" && DOCKER_HUB_NAMES.includes(credentialRegistry)) return true;
  return credentialRegistry.replace(/^https?:\/\//, "").split("/", 1)[0] === registry;
}

/** Answers a challenge. Source: distribution specification, "Token authentication". */
async function authorize(
  challenge: string,
  credential: RegistryCredential | undefined,
  repository: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const basic =
    credential && `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
  if (!/^bearer\s/i.test(challenge)) return basic ?? "";
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
  );
  const url = new URL(parameters.get("realm") ?? "");
  const service = parameters.get("service");
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", parameters.get("scope") ?? `repository:${repository}:pull`);
  const response = await fetch(url, { headers: basic === undefined ? {} : { authorization: basic }, signal });
  if (!response.ok)
    throw new RegistryError(`failed to fetch a token for ${repository}: ${response.status} ${response.statusText}`);
  const { token, access_token: accessToken } = (await response.json()) as { token?: string; access_token?: string };
  return `Bearer ${token ?? accessToken}`;
}
