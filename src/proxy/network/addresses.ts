/** IPv4 arithmetic and the layout of a cluster's own addresses: pure. */

export interface Cidr {
  readonly base: number;
  readonly size: number;
}

/** @throws Error when `text` is no IPv4 CIDR. */
export function parseCidr(text: string): Cidr {
  const [address = "", length = "32"] = text.split("/");
  const bits = Number(length);
  const octets = address.split(".").map(Number);
  if (octets.length !== 4 || octets.some((octet) => !(octet >= 0 && octet <= 255)) || !(bits >= 0 && bits <= 32)) {
    throw new Error(`"${text}" is no IPv4 range`);
  }
  const size = 2 ** (32 - bits);
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return { base: value - (value % size), size };
}

export const toAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");

/** The address `offset` places above the start of the range. */
export const addressAt = (cidr: string, offset: number): string => toAddress(parseCidr(cidr).base + offset);

export function overlaps(a: string, b: string): boolean {
  const [one, other] = [parseCidr(a), parseCidr(b)];
  return one.base < other.base + other.size && other.base < one.base + one.size;
}

/** FNV-1a: short, stable names for interfaces and a starting point for the search of a free range. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  return hash >>> 0;
}

export const hashName = (prefix: string, text: string): string =>
  `${prefix}${hash32(text).toString(16).padStart(8, "0")}`;

/**
 * Where a cluster's own /24 may come from, in order of preference: private ranges that neither Docker's defaults nor
 * common home and cloud networks use, then the benchmarking range of RFC 2544. What the host already routes is left out.
 */
const LINK_POOLS = ["172.30.0.0/16", "10.213.0.0/16", "198.19.0.0/16"] as const;

/** First address of the nodes in the /24; what is below belongs to the link to the host. */
const NODE_OFFSET = 10;
/** Nodes of one cluster on one machine; the addresses up to the load balancers' half. */
export const CLUSTER_NODES_MAX = 118;

/** All candidates for a cluster's /24, the likeliest first, without those that overlap what the host routes. */
export function linkCandidates(seed: string, hostRoutes: readonly string[]): string[] {
  const start = hash32(seed) % 256;
  return LINK_POOLS.flatMap((pool) =>
    Array.from({ length: 256 }, (_, index) => `${addressAt(pool, ((start + index) % 256) * 256)}/24`),
  ).filter((candidate) => !hostRoutes.some((route) => overlaps(route, candidate)));
}

export interface LinkAddresses {
  readonly range: string;
  /** The host's end of the uplink. */
  readonly host: string;
  /** The cluster's router. */
  readonly fabric: string;
  readonly loadBalancers: string;
  node(index: number): string;
}

/** `a.b.c.0/24`: .1 host, .2 router, .10 to .127 nodes, the upper half load balancers. */
export const linkAddresses = (range: string): LinkAddresses => ({
  range,
  host: addressAt(range, 1),
  fabric: addressAt(range, 2),
  loadBalancers: `${addressAt(range, 128)}/25`,
  node: (index) => {
    if (index >= CLUSTER_NODES_MAX) throw new Error(`a cluster on one machine has at most ${CLUSTER_NODES_MAX} nodes`);
    return addressAt(range, NODE_OFFSET + index);
  },
});

/** Names of what a cluster puts onto the host: the same name in another directory is another cluster. */
export const clusterNames = (cluster: string, runDirectory: string) => ({
  uplink: hashName("skiff-", `${cluster} ${runDirectory}`),
  table: hashName("skiff-", `${cluster} ${runDirectory}`),
});
