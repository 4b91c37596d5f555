/** Names of and for a pod: hostname, resolv.conf, hosts. Source: kubelet network/dns/dns.go, kubelet_pods.go. */
import type { Pod } from "../../api/generated/core-v1.ts";

export interface ResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
  /** It is not what the machine's own file says, which would be of no use on the node. */
  readonly isReplaced?: boolean;
}

export interface ClusterNames {
  /** Addresses of the cluster's DNS; none: pods get the node's own. */
  readonly dns: readonly string[];
  /** "cluster.local" */
  readonly domain: string;
}

/** Source: dns.go maxDNSNameservers (glibc's limit) and apis/core/validation MaxDNSSearchPaths. */
const SERVERS_MAX = 3;
const SEARCHES_MAX = 32;
/** Longest name that the kernel takes. */
const HOSTNAME_LENGTH_MAX = 63;
/** Source: dns.go defaultDNSOptions. */
const CLUSTER_OPTIONS = ["ndots:5"];

const unique = (list: readonly string[]): readonly string[] => [...new Set(list)];

/** Later options replace earlier ones of that name. */
function mergedOptions(base: readonly string[], more: readonly string[]): readonly string[] {
  const byName = new Map([...base, ...more].map((option) => [option.split(":")[0] as string, option]));
  return [...byName.values()];
}

function clusterFirst(pod: Pod, cluster: ClusterNames, node: ResolvConf): ResolvConf {
  const domain = cluster.domain;
  const searches = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return { servers: cluster.dns, searches: [...searches, ...node.searches], options: CLUSTER_OPTIONS };
}

function basis(pod: Pod, cluster: ClusterNames, node: ResolvConf): ResolvConf {
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const isCluster =
    policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && pod.spec.hostNetwork !== true);
  return isCluster && cluster.dns.length > 0 ? clusterFirst(pod, cluster, node) : node;
}

export function podDns(pod: Pod, cluster: ClusterNames, node: ResolvConf): ResolvConf {
  const base = basis(pod, cluster, node);
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const own = options.map(({ name = "", value }) => (value === undefined || value === "" ? name : `${name}:${value}`));
  return {
    servers: unique([...base.servers, ...nameservers]).slice(0, SERVERS_MAX),
    searches: unique([...base.searches, ...searches]).slice(0, SEARCHES_MAX),
    options: mergedOptions(base.options, own),
  };
}

export interface PodHostname {
  readonly hostname: string;
  /** "web-0.nginx.default.svc.cluster.local", or "" without a subdomain. */
  readonly fqdn: string;
  /** What `hostname` says inside. */
  readonly kernelHostname: string;
}

const truncated = (name: string): string =>
  name.length <= HOSTNAME_LENGTH_MAX ? name : name.slice(0, HOSTNAME_LENGTH_MAX).replace(/[-.]+$/, "");

/** @throws Error when the full name was asked for and is too long for the kernel. */
export function podHostname({ metadata, spec }: Pod, clusterDomain: string): PodHostname {
  if (spec.hostnameOverride !== undefined && spec.hostnameOverride !== "") {
    return { hostname: spec.hostnameOverride, fqdn: "", kernelHostname: spec.hostnameOverride };
  }
  const hostname = spec.hostname !== undefined && spec.hostname !== "" ? spec.hostname : truncated(metadata.name);
  if (spec.subdomain === undefined || spec.subdomain === "") return { hostname, fqdn: "", kernelHostname: hostname };
  const fqdn = `${hostname}.${spec.subdomain}.${metadata.namespace}.svc.${clusterDomain}`;
  if (spec.setHostnameAsFQDN !== true) return { hostname, fqdn, kernelHostname: hostname };
  if (fqdn.length > HOSTNAME_LENGTH_MAX) {
    throw new Error(
      `Failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, ${fqdn.length} characters requested)`,
    );
  }
  return { hostname, fqdn, kernelHostname: fqdn };
}

/** Source: kubelet_pods.go managedHostsHeader and managedHostsFileContent. */
const HOSTS_LINES = [
  "# Kubernetes-managed hosts file.",
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

function aliasLines({ spec }: Pod): readonly string[] {
  const aliases = spec.hostAliases ?? [];
  if (aliases.length === 0) return [];
  return [
    "",
    "# Entries added by HostAliases.",
    ...aliases.map(({ ip, hostnames }) => [ip, ...(hostnames ?? [])].join("\t")),
  ];
}

/** The /etc/hosts of a pod with a network of its own. */
export function hostsFile(pod: Pod, ips: readonly string[], { hostname, fqdn }: PodHostname): string {
  const own = ips.map((ip) => (fqdn === "" ? `${ip}\t${hostname}` : `${ip}\t${fqdn}\t${hostname}`));
  return `${[...HOSTS_LINES, ...own, ...aliasLines(pod)].join("\n")}\n`;
}

/** With the host's network: the node's own file and the aliases. */
export const hostNetworkHostsFile = (pod: Pod, nodeHosts: string): string => {
  const header = "# Kubernetes-managed hosts file (host network).\n";
  const aliases = aliasLines(pod);
  return `${header}${nodeHosts}${aliases.length === 0 ? "" : `${aliases.join("\n")}\n`}`;
};
