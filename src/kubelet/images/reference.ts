/** A parsed image name: `docker.io/library/go-api:0.0.2`. */
export interface ImageReference {
  /** Host of the registry, "docker.io" when the name has none. */
  readonly registry: string;
  /** Path in the registry: "library/go-api". */
  readonly repository: string;
  readonly tag: string | undefined;
  /** "sha256:…" */
  readonly digest: string | undefined;
}

const DEFAULT_REGISTRY = "docker.io";
/** Docker Hub's older name, which means the same. Source: distribution/reference normalize.go, legacyDefaultDomain. */
const LEGACY_DEFAULT_REGISTRY = "index.docker.io";
const OFFICIAL_REPOSITORIES = "library";
/** Source: distribution/reference reference.go, RepositoryNameTotalLengthMax. */
const REPOSITORY_LENGTH_MAX = 255;

/** Grammar of names. Source: distribution/reference regexp.go. */
const REGISTRY =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** @throws Error "invalid reference format", as container engines say it. */
export function parseReference(name: string): ImageReference {
  const invalid = (why = "invalid reference format") => new Error(`couldn't parse image name "${name}": ${why}`);
  const [beforeDigest = "", digest, ...more] = name.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) throw invalid();
  const colon = beforeDigest.lastIndexOf(":");
  const hasTag = colon > beforeDigest.lastIndexOf("/");
  const tag = hasTag ? beforeDigest.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw invalid();
  const { registry, repository } = splitRegistry(hasTag ? beforeDigest.slice(0, colon) : beforeDigest);
  if (repository !== repository.toLowerCase()) {
    throw invalid(`invalid reference format: repository name (${repository}) must be lowercase`);
  }
  if (!REGISTRY.test(registry) || !REPOSITORY.test(repository)) throw invalid();
  if (registry.length + repository.length + 1 > REPOSITORY_LENGTH_MAX) throw invalid("repository name too long");
  return { registry, repository, tag, digest };
}

/** What stands before the first slash is a registry only when it looks like a host. */
function splitRegistry(path: string): { registry: string; repository: string } {
  const slash = path.indexOf("/");
  const first = path.slice(0, Math.max(0, slash));
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  if (slash < 0 || !isHost) return inDefaultRegistry(path);
  const repository = path.slice(slash + 1);
  if (first === DEFAULT_REGISTRY || first === LEGACY_DEFAULT_REGISTRY) return inDefaultRegistry(repository);
  return { registry: first, repository };
}

function inDefaultRegistry(repository: string): { registry: string; repository: string } {
  const isOfficial = !repository.includes("/");
  return { registry: DEFAULT_REGISTRY, repository: isOfficial ? `${OFFICIAL_REPOSITORIES}/${repository}` : repository };
}

/** The full name: registry always, and ":latest" where there is neither tag nor digest. A digest beats a tag. */
export function formatReference(reference: ImageReference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`}`;
}

/** `go-api:0.0.2` → `docker.io/library/go-api:0.0.2`. */
export const normalizeName = (name: string): string => formatReference(parseReference(name));
