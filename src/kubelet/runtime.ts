/**
 * A way to run containers, seen from the kubelet: the interface that every runtime implements (`oci`, `simulated`, later
 * `cri`) and one shared suite tests. It follows the container runtime interface (CRI) in words and in meaning.
 *
 * Invariants:
 * - Containers outlive the kubelet. After a restart `list` tells what is there, and exits that happened meanwhile are
 *   reported with their real codes and times.
 * - A container id is never used again; each attempt is a new container.
 * - Every call is safe to repeat: stopping what is stopped and removing what is gone succeed.
 */
import type { Duplex, Readable, Writable } from "node:stream";

export interface PodIdentity {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

export interface SandboxConfig {
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly hostname: string;
  /** Lines of resolv.conf; absent with host network: the node's own. */
  readonly dns?: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly shareProcessNamespace: boolean;
  readonly sysctls: Readonly<Record<string, string>>;
  /** The pod's cgroup below the node's: sums of the containers' limits. */
  readonly resources: ContainerResources;
  readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly hostPorts: readonly {
    readonly hostPort: number;
    readonly containerPort: number;
    readonly protocol: string;
    readonly hostIp: string;
  }[];
}

export interface ContainerResources {
  /** Relative weight, from the CPU request. Source: kubelet cm/helpers_linux.go MilliCPUToShares. */
  readonly cpuShares?: number;
  /** Microseconds per 100 ms period; absent: unlimited. */
  readonly cpuQuotaUs?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsMax?: number;
  readonly oomScoreAdj?: number;
}

export interface ContainerMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation?: "None" | "HostToContainer" | "Bidirectional";
}

export interface ContainerConfig {
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  /** Image id as `images.status` gave it. */
  readonly imageId: string;
  /** Name as the pod spec writes it. */
  readonly imageName: string;
  /** Digest under which it was pulled: where it can be had again; its id when it was loaded. */
  readonly imageRef?: string;
  /** Replace the image's entrypoint and cmd when not empty. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly workingDir?: string;
  readonly mounts: readonly ContainerMount[];
  /** The container's log file; the kubelet has made its folder. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly resources: ContainerResources;
  readonly security: ContainerSecurity;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Share this container's process namespace (debug containers with a target). */
  readonly targetContainerId?: string;
}

export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly allowPrivilegeEscalation: boolean;
}

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups: readonly number[];
}

export type ContainerState = "Created" | "Running" | "Exited" | "Unknown";

export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly exitCode?: number;
  /** Why it ended, as the CRI says: "Completed", "Error", "OOMKilled", "ContainerCannotRun", … */
  readonly reason?: string;
  readonly message?: string;
  readonly imageId: string;
  readonly imageName: string;
  readonly imageRef?: string;
  /** Whom its first process runs as. */
  readonly user?: ContainerUser;
  readonly logPath: string;
  readonly pid?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface SandboxStatus {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly state: "Ready" | "NotReady";
  readonly createdAtMs: number;
  /** Empty with host network. */
  readonly ips: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ImageStatus {
  /** "sha256:…", the digest of the configuration. */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  /** As in the image's configuration: "1000", "user", "" . */
  readonly user: string;
}

export interface Images {
  /** By name ("go-api:0.0.2", fully qualified or not) or id; undefined: not here. */
  status(name: string): Promise<ImageStatus | undefined>;
  list(): Promise<readonly ImageStatus[]>;
  /** @throws Error with the runtime's own words. */
  pull(name: string, credentials: readonly RegistryCredential[]): Promise<ImageStatus>;
  remove(id: string): Promise<void>;
}

export interface RegistryCredential {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface ExecRequest {
  readonly containerId: string;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  /** Never with `tty`. */
  readonly stderr?: Writable;
  /** Terminal sizes over time. */
  readonly resizes?: AsyncIterable<{ readonly columns: number; readonly rows: number }>;
  readonly signal?: AbortSignal;
}

export interface ExecSyncResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export interface ContainerStats {
  readonly containerId: string;
  readonly name: string;
  readonly sandboxId: string;
  readonly atMs: number;
  /** Cumulative. */
  readonly cpuUsageNs: number;
  readonly memoryUsageBytes: number;
  /** Usage less inactive file pages, what metrics report. */
  readonly memoryWorkingSetBytes: number;
  readonly pids: number;
}

export type RuntimeEvent =
  | { readonly type: "container-started"; readonly containerId: string; readonly sandboxId: string }
  | { readonly type: "container-exited"; readonly containerId: string; readonly sandboxId: string };

export interface Runtime {
  /** "oci", "simulated"; shown in `containerRuntimeVersion` as `<name>://<version>`. */
  readonly name: string;
  readonly version: string;
  readonly images: Images;

  runSandbox(config: SandboxConfig): Promise<SandboxStatus>;
  /** Kills what still runs in it and frees its network. */
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;

  createContainer(config: ContainerConfig): Promise<string>;
  /** @throws RuntimeError with the runtime's own words and, where it has one, an exit code (127, 126, 128). */
  startContainer(id: string): Promise<void>;
  /** SIGTERM (or the image's stop signal), then SIGKILL after `graceMs`; resolves when it has exited. */
  stopContainer(id: string, graceMs: number): Promise<void>;
  removeContainer(id: string): Promise<void>;

  listSandboxes(): Promise<readonly SandboxStatus[]>;
  listContainers(): Promise<readonly ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus | undefined>;
  stats(): Promise<readonly ContainerStats[]>;

  /** Closes and reopens the log after the kubelet has renamed it. */
  reopenLog(id: string): Promise<void>;
  /** For probes and hooks: bounded output (16 KiB per stream), killed after `timeoutMs`. */
  execSync(containerId: string, command: readonly string[], timeoutMs: number): Promise<ExecSyncResult>;
  /** Resolves with the exit code once all output has been written. @throws RuntimeError when it could not start. */
  exec(request: ExecRequest): Promise<number>;
  /** The container's own streams; resolves when it exits or the client goes. */
  attach(request: Omit<ExecRequest, "command">): Promise<void>;
  /** A connection to a TCP port inside the pod's network namespace. */
  dial(sandboxId: string, port: number): Promise<Duplex>;
  /** Sets new limits on a running container. */
  updateResources(containerId: string, resources: ContainerResources): Promise<void>;

  /** Calls `listener` for everything that happens from now on. @returns how to stop. */
  subscribe(listener: (event: RuntimeEvent) => void): () => void;
  /** Lets go of threads and descriptors; containers run on. */
  close(): Promise<void>;
}

/** What the runtime itself said went wrong; `message` reaches the user unchanged. */
export class RuntimeError extends Error {
  readonly exitCode: number | undefined;
  /** Reason for the container's waiting or terminated state, such as "RunContainerError". */
  readonly reason: string;
  constructor(reason: string, message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RuntimeError";
    this.reason = reason;
    this.exitCode = options.exitCode;
  }
}
