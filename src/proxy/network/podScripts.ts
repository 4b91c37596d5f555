/** How a pod is wired to its node: pure text for `sh -e`, run in the node's namespace. */
import { hashName } from "./addresses.ts";
import { NODE_TABLE } from "./nodeScript.ts";

export interface HostPort {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  /** "" and "0.0.0.0" mean every address of the node. */
  readonly hostIp: string;
}

/** A pod's next hop: an address that nobody has, behind which its node answers. Convention of Calico and others. */
const POD_GATEWAY = "169.254.1.1";
/** The node's end of every pod's wire. Pods know it, so no pod ever has to ask for its gateway. */
const NODE_MAC = "ee:ee:ee:ee:ee:ee";

/** The node's end of a pod's wire: at most 15 characters, found again from the sandbox alone. */
export const podLink = (sandboxId: string): string => hashName("skp", sandboxId);

/** Wires a pod up; `again`, one that may be wired up already and is then left as it is, or half, and is then begun anew. */
export function attachScript(sandboxId: string, ip: string, netnsPath: string, again: boolean): string {
  const wires = wiresScript(sandboxId, ip, netnsPath);
  if (!again) return wires;
  // The pod's default route is the last thing that is made.
  const whole = `nsenter --net='${netnsPath}' ip route show default | grep -q ${POD_GATEWAY}`;
  const linked = `ip route show ${ip} | grep -q ${podLink(sandboxId)}`;
  return `if ! { ${linked} && ${whole}; }; then\n${detachScript(sandboxId, ip)}${wires}fi\n`;
}

const wiresScript = (sandboxId: string, ip: string, netnsPath: string): string => `ip -batch - <<'END'
link add ${podLink(sandboxId)} address ${NODE_MAC} type veth peer name eth0 netns '${netnsPath}'
link set ${podLink(sandboxId)} up
route replace ${ip}/32 dev ${podLink(sandboxId)}
END
nsenter --net='${netnsPath}' ip -batch - <<'END'
link set lo up
address add ${ip}/32 dev eth0
link set eth0 up
route add ${POD_GATEWAY} dev eth0 scope link
neighbor replace ${POD_GATEWAY} lladdr ${NODE_MAC} dev eth0 nud permanent
route add default via ${POD_GATEWAY} dev eth0
END
`;

/** Scope host, or the kernel might take a pod's address for one of the node's own. */
export const attachLocalScript = (ip: string): string => `ip address replace ${ip}/32 dev lo scope host\n`;

export const detachScript = (sandboxId: string, ip: string): string =>
  `ip link delete ${podLink(sandboxId)} 2>/dev/null || true
ip address delete ${ip}/32 dev lo 2>/dev/null || true
`;

/** Adds or deletes the elements that lead from the node's ports to the pod's. */
export function hostPortScript(verb: "add" | "delete", ip: string, hostPorts: readonly HostPort[]): string {
  const forwarded = hostPorts.filter(({ hostPort, protocol }) => hostPort > 0 && protocol !== "SCTP");
  if (forwarded.length === 0) return "";
  const lines = forwarded.map(({ hostPort, containerPort, protocol, hostIp }) => {
    const anywhere = hostIp === "" || hostIp === "0.0.0.0";
    const key = `${anywhere ? "" : `${hostIp} . `}${protocol.toLowerCase()} . ${hostPort}`;
    const value = verb === "add" ? ` : ${ip} . ${containerPort}` : "";
    return `${verb} element ip ${NODE_TABLE} ${anywhere ? "host-ports" : "host-ports-at"} { ${key}${value} }`;
  });
  return `nft -f - <<'END'
${lines.join("\n")}
${verb} element ip ${NODE_TABLE} host-port-pods { ${ip} . ${ip} }
END
`;
}
