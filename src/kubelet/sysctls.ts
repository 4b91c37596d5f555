/** Which kernel settings a pod may make: those of its own namespaces that disturb no other pod. Source: kubelet sysctl/. */
import type { Pod } from "../api/generated/core-v1.ts";

/** Source: sysctl/safe_sysctls.go; the kernels that lack some of them are older than those that this runs on. */
const SAFE = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

/** "net/ipv4/tcp_rmem" is another spelling; dots may stand in names then. Source: component-helpers node/util/sysctl. */
export function normalizedSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  if (first !== "/") return name;
  return name.replace(/[./]/g, (character) => (character === "/" ? "." : "/"));
}

const ofNetwork = (name: string): boolean => name.startsWith("net.");

/** @returns why the pod may not run. Source: sysctl/allowlist.go. */
export function sysctlRejection({ spec }: Pod): { readonly reason: string; readonly message: string } | undefined {
  for (const sysctl of spec.securityContext?.sysctls ?? []) {
    const why = refusal(normalizedSysctl(sysctl.name), spec);
    if (why !== undefined) return { reason: "SysctlForbidden", message: `forbidden sysctl: ${why}` };
  }
  return undefined;
}

function refusal(name: string, { hostNetwork, hostIPC }: Pod["spec"]): string | undefined {
  if (!SAFE.has(name)) return `${JSON.stringify(name)} not allowlisted`;
  if (ofNetwork(name) && hostNetwork === true) return `${JSON.stringify(name)} not allowed with host net enabled`;
  if (!ofNetwork(name) && hostIPC === true) return `${JSON.stringify(name)} not allowed with host ipc enabled`;
  return undefined;
}
