import type { ImageProcess } from "../../images/oci.ts";
import { CPU_PERIOD_US } from "../../nodeEnvironment/cgroups.ts";
import type { ContainerConfig, ContainerMount, ContainerResources } from "../../runtime.ts";
import { capabilitiesOf } from "./capabilities.ts";
import type { ProcessUser } from "./user.ts";

/** Version of the runtime specification that the document follows; crun 1.8 and runc 1.1 know it. */
const SPEC_VERSION = "1.0.2";
/** Source: containerd pkg/oci/spec.go, defaultUnixEnv. */
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Source: containerd pkg/oci/spec.go, populateDefaultUnixSpec. */
const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READ_ONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Character devices that every container may use. Source: containerd pkg/oci/spec.go, WithDefaultUnixDevices. */
const DEVICE_RULES = [
  { allow: false, access: "rwm" },
  ...[
    [1, 3],
    [1, 8],
    [1, 7],
    [5, 0],
    [1, 5],
    [1, 9],
    [5, 1],
    [136, undefined],
    [5, 2],
  ].map(([major, minor]) => ({
    allow: true,
    type: "c",
    major,
    ...(minor === undefined ? {} : { minor }),
    access: "rwm",
  })),
];

export interface SpecMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** The document that the OCI runtime is given, as far as it is used here. */
export interface OciSpec {
  readonly ociVersion: string;
  readonly process: {
    readonly terminal: boolean;
    readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly capabilities: Readonly<Record<string, readonly string[]>>;
    readonly noNewPrivileges: boolean;
    readonly oomScoreAdj?: number;
  };
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly mounts: readonly SpecMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroupsPath: string;
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly resources: object;
    readonly rootfsPropagation?: string;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
  };
}

/** What the pod's sandbox brings: namespaces to join (absent: the machine's own, or a new one) and files. */
export interface SandboxParts {
  readonly hostname: string;
  readonly namespaces: {
    readonly network?: string;
    readonly ipc?: string;
    readonly uts?: string;
    readonly pid?: string;
  };
  readonly hostPid: boolean;
  readonly files: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string };
  /** Shared by the pod's containers; absent: the machine's. */
  readonly sharedMemory: string;
}

export interface OciSpecInput {
  readonly config: ContainerConfig;
  readonly image: ImageProcess;
  readonly user: ProcessUser;
  readonly sandbox: SandboxParts;
  readonly rootPath: string;
  readonly cgroupPath: string;
  readonly cgroupVersion: 1 | 2;
  /** Capabilities of this process, which it can hand on. */
  readonly available: ReadonlySet<string>;
  /** Adjustments below this one are not ours to make. */
  readonly oomScoreAdjMin: number;
}

/** Decides everything about a container's process and its surroundings. @throws Error when nothing is to be run. */
export function ociSpec(input: OciSpecInput): OciSpec {
  const { config, image, sandbox } = input;
  const { security } = config;
  const capabilities = capabilitiesOf(security, input.available);
  // Without root the kernel keeps only ambient ones on exec; container engines give none.
  const sets = { bounding: capabilities, effective: capabilities, permitted: capabilities };
  const adjustment = config.resources.oomScoreAdj;
  return {
    ociVersion: SPEC_VERSION,
    process: {
      terminal: config.tty,
      user: { uid: input.user.uid, gid: input.user.gid, additionalGids: input.user.additionalGids },
      args: argumentsOf(config, image),
      env: environmentOf(config, image, sandbox.hostname, input.user.home),
      cwd: config.workingDir || image.WorkingDir || "/",
      capabilities: sets,
      noNewPrivileges: !security.privileged && !security.allowPrivilegeEscalation,
      ...(adjustment === undefined ? {} : { oomScoreAdj: Math.max(adjustment, input.oomScoreAdjMin) }),
    },
    root: { path: input.rootPath, readonly: security.readOnlyRootFilesystem },
    mounts: [...systemMounts(security.privileged, sandbox), ...podMounts(config.mounts, sandbox)],
    annotations: {},
    linux: {
      cgroupsPath: input.cgroupPath,
      namespaces: [...namespacesOf(sandbox), ...cgroupNamespaceOf(input)],
      resources: { ...resourcesOf(config.resources, security.privileged), ...unifiedOf(input) },
      ...propagationOf(config.mounts),
      maskedPaths: security.privileged ? [] : MASKED_PATHS,
      readonlyPaths: security.privileged ? [] : READ_ONLY_PATHS,
    },
  };
}

/** A command replaces both the image's entrypoint and its arguments; arguments alone replace only those. */
export function argumentsOf(config: Pick<ContainerConfig, "command" | "args">, image: ImageProcess): readonly string[] {
  const hasCommand = config.command.length > 0;
  const command = hasCommand ? config.command : (image.Entrypoint ?? []);
  const args = config.args.length > 0 || hasCommand ? config.args : (image.Cmd ?? []);
  const all = [...command, ...args];
  if (all.length === 0) throw new Error("no command specified");
  return all;
}

/** The image's, then the pod's; a later one of the same name replaces an earlier one in its place. */
function environmentOf(config: ContainerConfig, image: ImageProcess, hostname: string, home: string): string[] {
  const variables = new Map<string, string>();
  const add = (line: string) => variables.set(line.split("=", 1)[0] as string, line);
  for (const line of [DEFAULT_PATH, ...(config.tty ? ["TERM=xterm"] : []), `HOSTNAME=${hostname}`]) add(line);
  for (const line of image.Env ?? []) add(line);
  for (const { name, value } of config.env) add(`${name}=${value}`);
  if (!variables.has("HOME")) add(`HOME=${home}`);
  return [...variables.values()];
}

function namespacesOf({ namespaces, hostPid }: SandboxParts): OciSpec["linux"]["namespaces"] {
  const join = (type: string, path: string | undefined) => (path === undefined ? [] : [{ type, path }]);
  const pid = namespaces.pid === undefined ? (hostPid ? [] : [{ type: "pid" }]) : join("pid", namespaces.pid);
  return [
    { type: "mount" },
    ...join("network", namespaces.network),
    ...join("ipc", namespaces.ipc),
    ...join("uts", namespaces.uts),
    ...pid,
  ];
}

/** Of its own, the container sees its limits at /sys/fs/cgroup. Source: containerd cri, container_create_linux.go. */
const cgroupNamespaceOf = ({ cgroupVersion, config }: OciSpecInput): OciSpec["linux"]["namespaces"] =>
  cgroupVersion === 2 && !config.security.privileged ? [{ type: "cgroup" }] : [];

/** All processes of a container end together when memory runs out. Source: kuberuntime_container_linux.go, singleProcessOOMKill. */
const unifiedOf = ({ cgroupVersion }: OciSpecInput): object =>
  cgroupVersion === 2 ? { unified: { "memory.oom.group": "1" } } : {};

function systemMounts(isPrivileged: boolean, sandbox: SandboxParts): SpecMount[] {
  const readOnly = isPrivileged ? "rw" : "ro";
  const guarded = ["nosuid", "noexec", "nodev"];
  // A file system of IPC objects can be mounted only in an IPC namespace of one's own.
  const queues: SpecMount[] = [{ destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: guarded }];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: guarded },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    ...queues,
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...guarded, readOnly] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...guarded, "relatime", readOnly] },
    {
      destination: "/dev/shm",
      type: "bind",
      source: sandbox.sharedMemory,
      options: ["rbind", "nosuid", "nodev", "noexec"],
    },
  ];
}

/** The sandbox's files give way to what the pod mounts in their place (the kubelet makes its own /etc/hosts). */
function podMounts(mounts: readonly ContainerMount[], { files }: SandboxParts): SpecMount[] {
  const own = [
    { containerPath: "/etc/hosts", hostPath: files.hosts },
    { containerPath: "/etc/hostname", hostPath: files.hostname },
    { containerPath: "/etc/resolv.conf", hostPath: files.resolvConf },
  ].map((file) => ({ ...file, readOnly: false }));
  const taken = new Set(mounts.map((mount) => mount.containerPath));
  const all: readonly ContainerMount[] = [...own.filter((file) => !taken.has(file.containerPath)), ...mounts];
  // Outer directories first, or they would hide what is mounted inside them.
  const depth = (mount: ContainerMount) => mount.containerPath.split("/").filter((part) => part !== "").length;
  return all.toSorted((a, b) => depth(a) - depth(b)).map(bindMount);
}

const PROPAGATION = { None: "rprivate", HostToContainer: "rslave", Bidirectional: "rshared" } as const;

function bindMount({ containerPath, hostPath, readOnly, propagation = "None" }: ContainerMount): SpecMount {
  const options = ["rbind", PROPAGATION[propagation], readOnly ? "ro" : "rw"];
  return { destination: containerPath, type: "bind", source: hostPath, options };
}

function propagationOf(mounts: readonly ContainerMount[]): { rootfsPropagation?: string } {
  const all = new Set(mounts.map((mount) => mount.propagation));
  if (all.has("Bidirectional")) return { rootfsPropagation: "shared" };
  return all.has("HostToContainer") ? { rootfsPropagation: "slave" } : {};
}

function resourcesOf(resources: ContainerResources, isPrivileged: boolean): object {
  const { cpuShares, cpuQuotaUs, memoryLimitBytes, pidsMax } = resources;
  return {
    devices: isPrivileged ? [{ allow: true, access: "rwm" }] : DEVICE_RULES,
    cpu: {
      ...(cpuShares === undefined ? {} : { shares: cpuShares }),
      ...(cpuQuotaUs === undefined ? {} : { quota: cpuQuotaUs, period: CPU_PERIOD_US }),
    },
    ...(memoryLimitBytes === undefined ? {} : { memory: { limit: memoryLimitBytes } }),
    ...(pidsMax === undefined ? {} : { pids: { limit: pidsMax } }),
  };
}
