import type { ContainerSecurity } from "../../runtime.ts";

/** What containers may do unless told otherwise. Source: containerd pkg/oci/spec.go, defaultUnixCaps. */
const DEFAULT_CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** By number. Source: linux/capability.h. */
const ALL_CAPABILITIES = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

/** Of the bit mask in /proc/self/status, such as "000001ffffffffff". */
export function parseCapabilityMask(mask: string): ReadonlySet<string> {
  const bits = BigInt(`0x${mask}`);
  return new Set(ALL_CAPABILITIES.filter((_, bit) => (bits >> BigInt(bit)) & 1n));
}

/** Which capabilities a container has; never more than `available`, which this process has itself. */
export function capabilitiesOf(security: ContainerSecurity, available: ReadonlySet<string>): readonly string[] {
  const full = (name: string) => (name.startsWith("CAP_") ? name : `CAP_${name}`);
  const added = security.addCapabilities.map((name) => full(name.toUpperCase()));
  const dropped = new Set(security.dropCapabilities.map((name) => full(name.toUpperCase())));
  const wanted = new Set(
    security.privileged || added.includes("CAP_ALL")
      ? ALL_CAPABILITIES
      : dropped.has("CAP_ALL")
        ? added
        : [...DEFAULT_CAPABILITIES, ...added],
  );
  const kept = (name: string) =>
    security.privileged || (dropped.has("CAP_ALL") ? added.includes(name) : !dropped.has(name));
  return ALL_CAPABILITIES.filter((name) => wanted.has(name) && kept(name) && available.has(name));
}
