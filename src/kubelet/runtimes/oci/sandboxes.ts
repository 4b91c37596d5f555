import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { podsCgroup } from "../../nodeEnvironment/nodeEnvironment.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, mount, unmount } from "../../nodeEnvironment/systemCalls.ts";
import type { SandboxConfig, SandboxStatus } from "../../runtime.ts";
import { RuntimeError } from "../../runtime.ts";
import { type OciContext, sandboxesDirectory } from "./context.ts";
import type { SandboxParts } from "./ociSpec.ts";
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  readRecords,
  type SandboxRecord,
  writeRecord,
} from "./records.ts";
import { hostsFile, resolvConf } from "./sandboxFiles.ts";
import { type NamespaceName, pinNamespaces } from "./sandboxNamespaces.ts";

/** Source: containerd cri sandbox_run_linux.go, defaultShmSize. */
const SHARED_MEMORY_OPTIONS = "mode=1777,size=65536k";
/** What every pod may do with its own network. Source: containerd cri config, enable_unprivileged_ports and _icmp. */
const DEFAULT_SYSCTLS = { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" };
/** Source: linux/magic.h, NSFS_MAGIC. */
const NSFS_MAGIC = 0x6e736673;
/** Letters of a sandbox's id in the name of its control group, enough to tell attempts apart. */
const CGROUP_SUFFIX_LENGTH = 8;
/** Of a pod's group: what holds the first process of a shared process namespace. */
const INIT_CGROUP = "init";

/**
 * The pods' sandboxes: namespaces pinned as files, so that no process has to stay for their sake, and the files that all
 * containers of the pod share.
 */
export class Sandboxes {
  readonly #context: OciContext;
  readonly #records = new Map<string, SandboxRecord>();

  constructor(context: OciContext) {
    this.#context = context;
    mkdirSync(sandboxesDirectory(context), { recursive: true });
  }

  /** Takes over what is there. */
  async adopt(): Promise<void> {
    const { records, broken } = readRecords<SandboxRecord>(sandboxesDirectory(this.#context));
    for (const record of records) this.#records.set(record.id, record);
    for (const id of broken) await this.#removeDirectory(id);
    for (const record of records) {
      const isGone = (record.init !== undefined && !isAlive(record.init)) || !this.#isPinned(record);
      if (isGone && record.state === "Ready") this.#save({ ...record, state: "NotReady" });
    }
  }

  /** After a restart of the machine the pins are plain files. */
  #isPinned({ id, config }: SandboxRecord): boolean {
    return namespacesOf(config).every((name) => statfsSync(join(this.#directory(id), name)).type === NSFS_MAGIC);
  }

  async run(config: SandboxConfig): Promise<SandboxStatus> {
    const { env, cgroups, network } = this.#context;
    const id = Buffer.from(env.random.bytes(32)).toString("hex");
    const cgroupPath = `${podsCgroup(this.#context.environment)}/pod${config.pod.uid}-${id.slice(0, CGROUP_SUFFIX_LENGTH)}`;
    const record: SandboxRecord = { id, config, createdAtMs: env.clock.now(), cgroupPath, state: "NotReady", ips: [] };
    mkdirSync(this.#directory(id), { mode: 0o711 });
    this.#save(record);
    try {
      cgroups.create(cgroupPath);
      cgroups.setLimits(cgroupPath, config.resources);
      this.#makeNamespaces(id, config);
      const init = config.shareProcessNamespace ? await this.#startInit(id, cgroupPath) : undefined;
      const netnsPath = join(this.#directory(id), "net");
      const isAttached = !config.hostNetwork;
      const { ips } = isAttached
        ? await network.attach({ sandboxId: id, netnsPath, hostPorts: config.hostPorts })
        : { ips: [] };
      this.#writeFiles(id, config, ips);
      return statusOf(this.#save({ ...record, state: "Ready", ips, init }));
    } catch (error) {
      await this.remove(id).catch((cause) =>
        env.log.warn("cannot remove a failed sandbox", { id, cause: String(cause) }),
      );
      throw new RuntimeError("FailedCreatePodSandBox", (error as Error).message, { cause: error });
    }
  }

  async stop(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    await this.#context.cgroups.killAll(record.cgroupPath);
    if (!record.config.hostNetwork) await this.#context.network.detach(id);
    if (record.state === "Ready") this.#save({ ...record, state: "NotReady" });
  }

  async remove(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    await this.stop(id);
    await this.#context.cgroups.remove(record.cgroupPath);
    await this.#removeDirectory(id);
    this.#records.delete(id);
  }

  list(): readonly SandboxStatus[] {
    return [...this.#records.values()].map(statusOf);
  }

  /** @throws RuntimeError when there is none. */
  get(id: string): SandboxRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new RuntimeError("NotFound", `sandbox ${JSON.stringify(id)} does not exist`);
    return record;
  }

  /** The network namespace's file; undefined with host network. */
  networkNamespace(id: string): string | undefined {
    return this.get(id).config.hostNetwork ? undefined : join(this.#directory(id), "net");
  }

  /** What its containers join. */
  partsFor(id: string): SandboxParts {
    const { config, init } = this.get(id);
    const directory = this.#directory(id);
    const pinned = new Set(namespacesOf(config));
    const at = (name: NamespaceName) => (pinned.has(name) ? join(directory, name) : undefined);
    return {
      hostname: config.hostname,
      namespaces: {
        network: at("net"),
        ipc: at("ipc"),
        uts: at("uts"),
        pid: init === undefined ? undefined : `/proc/${init.pid}/ns/pid`,
      },
      hostPid: config.hostPid,
      files: {
        hosts: join(directory, "hosts"),
        hostname: join(directory, "hostname"),
        resolvConf: join(directory, "resolv.conf"),
      },
      sharedMemory: config.hostIpc ? "/dev/shm" : join(directory, "shm"),
    };
  }

  #makeNamespaces(id: string, config: SandboxConfig): void {
    const directory = this.#directory(id);
    const names = namespacesOf(config);
    const sysctls = { ...(names.includes("net") ? DEFAULT_SYSCTLS : {}), ...config.sysctls };
    pinNamespaces(directory, { names, hostname: config.hostname, sysctls });
    if (config.hostIpc) return;
    const target = join(directory, "shm");
    mkdirSync(target);
    mount({
      source: "shm",
      target,
      type: "tmpfs",
      flags: MS_NOSUID | MS_NODEV | MS_NOEXEC,
      data: SHARED_MEMORY_OPTIONS,
    });
  }

  /**
   * A process namespace lives as long as its first process, which also has to collect orphans: a shell that waits for a
   * child that never ends does both. Its own session keeps it from our signals.
   */
  async #startInit(id: string, cgroupPath: string): Promise<ProcessIdentity> {
    const pidFile = join(this.#directory(id), "init.pid");
    const { cgroups } = this.#context;
    // Beside the containers: in version 2 a group has either processes or groups that are limited.
    const own = `${cgroupPath}/${INIT_CGROUP}`;
    cgroups.create(own);
    const join_ = cgroups.joinFiles(own).map((file) => `echo $$ >'${file}'`);
    const inner = 'trap "exit 0" TERM; while :; do sleep 2147483647 & wait $!; done';
    const script = [...join_, `exec unshare --pid --fork --kill-child sh -c '${inner}'`].join(" && ");
    const child = spawn("sh", ["-c", script], { detached: true, stdio: "ignore" });
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    for (let attempt = 0; attempt < 500; attempt++) {
      const first = childOf(child.pid as number);
      const identity = first === undefined ? undefined : identifyProcess(first);
      if (identity !== undefined) {
        writeFileSync(pidFile, String(identity.pid));
        return identity;
      }
      await this.#context.env.clock.sleep(1);
    }
    throw new Error("the first process of the shared process namespace did not start");
  }

  #writeFiles(id: string, config: SandboxConfig, ips: readonly string[]): void {
    const write = (name: string, content: string) => writeFileSync(join(this.#directory(id), name), content);
    write("hostname", `${config.hostname}\n`);
    write("hosts", hostsFile(config.hostname, ips));
    write("resolv.conf", config.dns === undefined ? readFileSync("/etc/resolv.conf", "utf8") : resolvConf(config.dns));
  }

  async #removeDirectory(id: string): Promise<void> {
    const directory = this.#directory(id);
    for (const name of ["net", "ipc", "uts", "shm"]) unmount(join(directory, name));
    await rm(directory, { recursive: true, force: true });
  }

  #save(record: SandboxRecord): SandboxRecord {
    writeRecord(this.#directory(record.id), record);
    this.#records.set(record.id, record);
    return record;
  }

  #directory(id: string): string {
    return join(sandboxesDirectory(this.#context), id);
  }
}

/** With host network the pod has the node's name as well. Source: containerd cri sandbox_run_linux.go. */
function namespacesOf({ hostNetwork, hostIpc }: SandboxConfig): readonly NamespaceName[] {
  return [...(hostNetwork ? [] : (["net", "uts"] as const)), ...(hostIpc ? [] : (["ipc"] as const))];
}

function childOf(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children === "" ? undefined : Number(children.split(" ")[0]);
  } catch {
    return undefined;
  }
}

function statusOf(record: SandboxRecord): SandboxStatus {
  const { id, config, createdAtMs, state, ips } = record;
  const { pod, attempt, labels, annotations } = config;
  return { id, pod, attempt, state, createdAtMs, ips, labels, annotations };
}
