/** The host's share: one interface, one route, one masquerade rule (see also foreignFirewall.ts). Pure text. */
import { linkAddresses } from "./addresses.ts";

export interface HostLink {
  readonly uplink: string;
  readonly table: string;
  readonly range: string;
}

/** Left on the table when it was us, or another cluster, who turned the host's forwarding on: the last one turns it off. */
export const FORWARDING_MARK = "forwarding was off";

/** For `sh -e`. Fails with "File exists" where the range is taken. */
export function hostUplinkScript(host: HostLink, fabricPath: string): string {
  const { range, uplink } = host;
  const { host: hostIP, fabric } = linkAddresses(range);
  return `ip -batch - <<'END'
link add ${uplink} type veth peer name uplink netns '${fabricPath}'
address add ${hostIP}/30 dev ${uplink}
link set ${uplink} up
route add ${range} via ${fabric} dev ${uplink}
END
nsenter --net='${fabricPath}' ip -batch - <<'END'
address add ${fabric}/30 dev uplink
link set uplink up
route add default via ${hostIP} dev uplink
END
if [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ] || nft list ruleset ip | grep -q "${FORWARDING_MARK}"; then
  nft 'add table ip ${host.table} { comment "${FORWARDING_MARK}" ; }'
  echo 1 > /proc/sys/net/ipv4/ip_forward
fi
nft -f - <<'END'
${hostTableScript(host)}END
`;
}

/** Sends what leaves the machine out under the machine's address. */
export const hostTableScript = ({ table, uplink, range }: HostLink): string => `table ip ${table} {
  chain postrouting { type nat hook postrouting priority srcnat; }
}
flush chain ip ${table} postrouting
add rule ip ${table} postrouting ip saddr ${range} oifname != "${uplink}" masquerade
`;
