/** What a node's network namespace holds before there is a pod in it: pure text for `sh -e`. */

export interface NodeScriptInput {
  readonly nodeIP: string;
  /** The router's address: the node's way to everything else. */
  readonly fabricIP: string;
  /** Addresses of this node's pods. */
  readonly podCidr: string;
  /** Addresses of all pods of the cluster. */
  readonly clusterPodCidr: string;
  readonly serviceCidr: string;
}

export const NODE_TABLE = "skiff-node";

/** Interfaces and routes; the router has put the other end of `eth0` into place. */
export function nodeLinkScript({ nodeIP, fabricIP }: NodeScriptInput): string {
  return `ip -batch - <<'END'
link set lo up
address replace ${nodeIP}/32 dev eth0
link set eth0 up
route replace ${fabricIP}/32 dev eth0 scope link src ${nodeIP}
route replace default via ${fabricIP} dev eth0 src ${nodeIP}
END
${writeSysctls({
  "net/ipv4/ip_forward": "1",
  // The reply to a NodePort on 127.0.0.1 leaves the loopback interface.
  "net/ipv4/conf/all/route_localnet": "1",
  // Pods come in by one way and go out by another where a Service leads back to the same node.
  "net/ipv4/conf/all/rp_filter": "0",
  "net/ipv4/conf/default/rp_filter": "0",
  // A pod that meets itself through a Service goes back the way it came. Redirects would not only be wrong: they use up
  // the pod's ration of ICMP, and a refused UDP packet would go unanswered.
  "net/ipv4/conf/all/send_redirects": "0",
  "net/ipv4/conf/default/send_redirects": "0",
})}`;
}

export const writeSysctls = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `echo ${value} > /proc/sys/${name}\n`)
    .join("");

/**
 * Masquerading of pods that leave the cluster, host ports, and the end of the road for service addresses that nobody
 * serves. The maps' contents survive a second run.
 */
export function nodeTableScript({ nodeIP, podCidr, clusterPodCidr, serviceCidr }: NodeScriptInput): string {
  const chains: Record<string, { hook: string; rules: readonly string[] }> = {
    "host-ports-of": {
      hook: "",
      rules: [
        "meta l4proto { tcp, udp } dnat ip to ip daddr . meta l4proto . th dport map @host-ports-at",
        "meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @host-ports",
      ],
    },
    prerouting: {
      hook: "type nat hook prerouting priority -95;",
      rules: ["fib daddr type local jump host-ports-of"],
    },
    output: { hook: "type nat hook output priority -95;", rules: ["fib daddr type local jump host-ports-of"] },
    postrouting: {
      hook: "type nat hook postrouting priority 105;",
      rules: [
        `ct status & dnat != 0 ip saddr 127.0.0.0/8 snat to ${nodeIP}`,
        `ct status & dnat != 0 ip saddr . ip daddr @host-port-pods snat to ${nodeIP}`,
        `oifname "eth0" ip saddr ${podCidr} ip daddr != ${clusterPodCidr} snat to ${nodeIP}`,
      ],
    },
    // After the service table (priority 0), which says no in a friendlier way where it knows the address.
    "stray-forward": {
      hook: "type filter hook forward priority 10;",
      rules: [`ct state new ip daddr ${serviceCidr} drop`],
    },
    "stray-output": {
      hook: "type filter hook output priority 10;",
      rules: [`ct state new ip daddr ${serviceCidr} drop`],
    },
  };
  return `nft -f - <<'END'
table ip ${NODE_TABLE} {
  map host-ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map host-ports-at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  set host-port-pods { type ipv4_addr . ipv4_addr; }
${Object.entries(chains)
  .map(([name, { hook }]) => `  chain ${name} { ${hook} }\n`)
  .join("")}}
${Object.entries(chains)
  .flatMap(([name, { rules }]) => [
    `flush chain ip ${NODE_TABLE} ${name}\n`,
    ...rules.map((rule) => `add rule ip ${NODE_TABLE} ${name} ${rule}\n`),
  ])
  .join("")}END
`;
}
