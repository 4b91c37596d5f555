import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createTurns } from "../../../lib/turns.ts";
import {
  type ContainerConfig,
  type ContainerStats,
  type ContainerStatus,
  RuntimeError,
  type RuntimeEvent,
} from "../../runtime.ts";
import { conmonPid, createUnderConmon, reopenLog, START_ERROR_EXIT_CODE } from "./conmon.ts";
import { bundleOf, containersDirectory, exitDirectory, type OciContext, runtimeRoot } from "./context.ts";
import { ociSpec } from "./ociSpec.ts";
import {
  type ContainerEnd,
  type ContainerRecord,
  identifyProcess,
  isAlive,
  readRecords,
  signalProcess,
  writeRecord,
} from "./records.ts";
import { mountRootFilesystem, readInRoot, removeRootFilesystem } from "./rootFilesystem.ts";
import type { Sandboxes } from "./sandboxes.ts";
import { signalNumber } from "./signals.ts";
import { startCreated } from "./startCreated.ts";
import { resolveUser } from "./user.ts";

/** Exit code when nobody saw the end. Source: containerd cri, unknownExitCode. */
const UNKNOWN_EXIT_CODE = 255;
/** Exit code of a process that SIGKILL ended, which is also what the kernel does when memory runs out. */
const KILLED_EXIT_CODE = 137;
/** How long a container whose process and conmon are both gone may go without an exit file. */
const LOST_EXIT_MS = 2_000;
/** How often running containers are checked for an end that no file tells of. */
const CHECK_PERIOD_MS = 5_000;

/** Containers started at a time on a machine of any size: starting waits for the disk and other processes as well. */
const STARTS_AT_ONCE_MIN = 3;

type Listener = (event: RuntimeEvent) => void;

/** Containers: made in a bundle directory each, run by conmon, and remembered by records on disk. */
export class Containers {
  readonly #context: OciContext;
  readonly #sandboxes: Sandboxes;
  readonly #emit: Listener;
  readonly #records = new Map<string, ContainerRecord>();
  readonly #waiting = new Map<string, (() => void)[]>();
  /** All at once would only make each wait for all others. */
  readonly #turns = createTurns(Math.max(STARTS_AT_ONCE_MIN, availableParallelism()));

  constructor(context: OciContext, sandboxes: Sandboxes, emit: Listener) {
    this.#context = context;
    this.#sandboxes = sandboxes;
    this.#emit = emit;
    mkdirSync(containersDirectory(context), { recursive: true });
    mkdirSync(exitDirectory(context), { recursive: true });
  }

  /** Takes over what is there; what ended meanwhile gets its code and time from the exit files. */
  async adopt(): Promise<void> {
    const { records, broken } = readRecords<ContainerRecord>(containersDirectory(this.#context));
    for (const id of broken) await this.#removeFiles(id);
    for (const record of records) {
      this.#records.set(record.id, record);
      if (record.isStarting && record.startedAtMs === undefined && record.end === undefined)
        this.#adoptHalfStarted(record);
    }
    const scratch = join(this.#context.environment.dataDirectory, "containers");
    for (const id of existsSync(scratch) ? readdirSync(scratch) : []) {
      if (!this.#records.has(id)) await rm(join(scratch, id), { recursive: true, force: true });
    }
    this.checkAll();
  }

  async create(config: ContainerConfig): Promise<string> {
    const { env, store } = this.#context;
    const sandbox = this.#sandboxes.get(config.sandboxId);
    const image = store.find(config.imageId);
    if (image === undefined)
      throw new RuntimeError("CreateContainerError", `image ${JSON.stringify(config.imageId)} not found`);
    const imageProcess = store.configOf(image).config ?? {};
    const id = Buffer.from(env.random.bytes(32)).toString("hex");
    const cgroupPath = `${sandbox.cgroupPath}/${id}`;
    const stopSignal = imageProcess.StopSignal || "SIGTERM";
    const bundle = bundleOf(this.#context, id);
    mkdirSync(bundle);
    try {
      const rootPath = mountRootFilesystem(this.#context, id, image);
      const database = { passwd: readInRoot(rootPath, "etc/passwd"), group: readInRoot(rootPath, "etc/group") };
      const user = resolveUser(imageProcess.User ?? "", database, config.security);
      const spec = ociSpec({
        config,
        image: imageProcess,
        user,
        sandbox: this.#partsFor(config),
        rootPath,
        cgroupPath,
        cgroupVersion: this.#context.cgroups.version,
        available: this.#context.capabilities,
        oomScoreAdjMin: this.#context.oomScoreAdjMin,
      });
      writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
      const { uid, gid, additionalGids } = user;
      const about = { id, config, createdAtMs: env.clock.now(), cgroupPath, stopSignal };
      this.#save({ ...about, user: { uid, gid, supplementalGroups: additionalGids } });
      return id;
    } catch (error) {
      await this.#removeFiles(id);
      throw new RuntimeError("CreateContainerError", (error as Error).message, { cause: error });
    }
  }

  #partsFor(config: ContainerConfig) {
    const parts = this.#sandboxes.partsFor(config.sandboxId);
    if (config.targetContainerId === undefined) return parts;
    const target = this.get(config.targetContainerId).process;
    if (target === undefined || !isAlive(target))
      throw new Error(`container ${config.targetContainerId} is not running`);
    return { ...parts, namespaces: { ...parts.namespaces, pid: `/proc/${target.pid}/ns/pid` } };
  }

  start(id: string): Promise<void> {
    return this.#turns(() => this.#start(id));
  }

  async #start(id: string): Promise<void> {
    const record = this.get(id);
    if (record.isStarting) throw new RuntimeError("RunContainerError", `container ${id} has been started before`);
    const { config } = this.#save({ ...record, isStarting: true });
    let startedAtMs: number;
    try {
      const bundle = bundleOf(this.#context, id);
      const pid = await createUnderConmon(this.#context, { ...config, id, bundle });
      const process = identifyProcess(pid);
      if (process === undefined) throw new RuntimeError("RunContainerError", "the container's process is gone");
      this.#save({ ...this.get(id), process });
      startedAtMs = this.#context.env.clock.now();
      await startCreated(this.#context, id);
    } catch (error) {
      const created = this.get(id).process;
      if (created !== undefined) signalProcess(created, "SIGKILL");
      this.#endUnstarted(id, (error as Error).message);
      throw error;
    }
    this.#save({ ...this.get(id), startedAtMs });
    this.#emit({ type: "container-started", containerId: id, sandboxId: config.sandboxId });
    this.check(id);
  }

  async stop(id: string, graceMs: number): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined || record.process === undefined || this.#settled(id)) return;
    const { clock } = this.#context.env;
    if (graceMs > 0) {
      signalProcess(record.process, signalNumber(record.stopSignal));
      const abort = new AbortController();
      const timeout = clock.sleep(graceMs, abort.signal).catch(() => undefined);
      await Promise.race([this.ended(id), timeout]);
      abort.abort();
    }
    if (!this.#settled(id)) {
      signalProcess(record.process, "SIGKILL");
      await this.#context.cgroups.killAll(record.cgroupPath);
      await this.ended(id);
    }
  }

  async remove(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    await this.stop(id, 0);
    await this.#context.cgroups.killAll(record.cgroupPath);
    await this.#context.cgroups.remove(record.cgroupPath);
    await this.#removeFiles(id);
    this.#records.delete(id);
  }

  /** Resolves when the container has ended and that is recorded. */
  ended(id: string): Promise<void> {
    if (this.#settled(id)) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? [];
      this.#waiting.set(id, [...waiting, resolve]);
    });
  }

  list(): readonly ContainerStatus[] {
    return [...this.#records.values()].map(statusOf);
  }

  status(id: string): ContainerStatus | undefined {
    const record = this.#records.get(id);
    return record === undefined ? undefined : statusOf(record);
  }

  /** @throws RuntimeError when there is none. */
  get(id: string): ContainerRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new RuntimeError("NotFound", `container ${JSON.stringify(id)} does not exist`);
    return record;
  }

  /** @throws RuntimeError unless it runs. */
  running(id: string): ContainerRecord {
    const record = this.get(id);
    if (record.startedAtMs !== undefined && record.end === undefined) return record;
    throw new RuntimeError("NotRunning", `container ${JSON.stringify(id)} is not running`);
  }

  ofSandbox(sandboxId: string): readonly ContainerRecord[] {
    return [...this.#records.values()].filter(({ config }) => config.sandboxId === sandboxId);
  }

  stats(): readonly ContainerStats[] {
    const running = [...this.#records.values()].filter((record) => statusOf(record).state === "Running");
    return running.flatMap(({ id, config, cgroupPath }) => {
      const usage = this.#context.cgroups.usage(cgroupPath);
      const { name, sandboxId } = config;
      return usage === undefined
        ? []
        : [{ containerId: id, name, sandboxId, atMs: this.#context.env.clock.now(), ...usage }];
    });
  }

  reopenLog(id: string): void {
    if (!reopenLog(bundleOf(this.#context, id)))
      throw new RuntimeError("NotRunning", `container ${id} writes no log any more`);
  }

  checkAll(): void {
    for (const id of this.#records.keys()) this.check(id);
  }

  /** Looks whether the container has ended, and records it. */
  check(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined || record.process === undefined || record.end !== undefined) return;
    const file = join(exitDirectory(this.#context), id);
    const stats = statSync(file, { throwIfNoEntry: false });
    // Files are stamped by a clock that is a tick behind.
    const finishedAtMs = Math.max(Math.floor(stats?.mtimeMs ?? 0), record.startedAtMs ?? 0);
    if (stats !== undefined) this.#end(record, Number(readFileSync(file, "utf8")), finishedAtMs);
    else if (!isAlive(record.process)) this.#checkLost(record);
  }

  get checkPeriodMs(): number {
    return CHECK_PERIOD_MS;
  }

  /** conmon writes the exit file a moment after the process has gone; if conmon is gone too, nobody will. */
  #checkLost(record: ContainerRecord): void {
    const conmon = conmonPid(bundleOf(this.#context, record.id));
    if (conmon !== undefined && identifyProcess(conmon) !== undefined) return;
    const { clock } = this.#context.env;
    const { id } = record;
    clock.setTimer(LOST_EXIT_MS, () => {
      const left = this.#records.get(id);
      // By now it may be known how it ended, or the container may be gone.
      if (left === undefined || left.end !== undefined) return;
      if (existsSync(join(exitDirectory(this.#context), id))) this.check(id);
      else this.#end(left, UNKNOWN_EXIT_CODE, clock.now(), "Unknown");
    });
  }

  #end(record: ContainerRecord, exitCode: number, finishedAtMs: number, reason?: string): void {
    const ranOut = exitCode === KILLED_EXIT_CODE && this.#ranOutOfMemory(record);
    const told = reason ?? (ranOut ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error");
    this.#settle(record, { exitCode, finishedAtMs, reason: told });
    void this.#killRest(record);
  }

  /** With a process namespace of its own the container's other processes died with its first. */
  async #killRest({ id, cgroupPath }: ContainerRecord): Promise<void> {
    try {
      await this.#context.cgroups.killAll(cgroupPath);
    } catch (error) {
      this.#context.env.log.warn("cannot end a container's processes", { id, cause: String(error) });
    }
  }

  #ranOutOfMemory({ id, cgroupPath }: ContainerRecord): boolean {
    return existsSync(join(bundleOf(this.#context, id), "oom")) || this.#context.cgroups.oomKills(cgroupPath) > 0;
  }

  #endUnstarted(id: string, message: string): void {
    const finishedAtMs = this.#context.env.clock.now();
    this.#settle(this.get(id), { exitCode: START_ERROR_EXIT_CODE, finishedAtMs, reason: "StartError", message });
  }

  #settle(record: ContainerRecord, end: ContainerEnd): void {
    this.#save({ ...record, end });
    for (const wake of this.#waiting.get(record.id) ?? []) wake();
    this.#waiting.delete(record.id);
    if (record.startedAtMs === undefined) return;
    this.#emit({ type: "container-exited", containerId: record.id, sandboxId: record.config.sandboxId });
  }

  #settled(id: string): boolean {
    const record = this.#records.get(id);
    return record === undefined || record.end !== undefined;
  }

  /** We died between asking for the start and hearing of it: what came of it is known by its process. */
  #adoptHalfStarted(record: ContainerRecord): void {
    const pidFile = join(bundleOf(this.#context, record.id), "pidfile");
    const process = existsSync(pidFile) ? identifyProcess(Number(readFileSync(pidFile, "utf8"))) : undefined;
    if (process !== undefined) signalProcess(process, "SIGKILL");
    void this.#killRest(record);
    this.#endUnstarted(record.id, "the node agent was stopped while it started the container");
  }

  async #removeFiles(id: string): Promise<void> {
    await removeRootFilesystem(this.#context, id);
    // Killed, and its control groups removed: this is all that the OCI runtime's own deletion would still do.
    await rm(join(runtimeRoot(this.#context), id), { recursive: true, force: true });
    await rm(bundleOf(this.#context, id), { recursive: true, force: true });
    await rm(join(exitDirectory(this.#context), id), { force: true });
  }

  #save(record: ContainerRecord): ContainerRecord {
    writeRecord(bundleOf(this.#context, record.id), record);
    this.#records.set(record.id, record);
    return record;
  }
}

function statusOf(record: ContainerRecord): ContainerStatus {
  const { id, config, createdAtMs, startedAtMs, end, process, user } = record;
  const { sandboxId, name, attempt, imageId, imageName, imageRef, logPath, labels, annotations } = config;
  const state = end !== undefined ? "Exited" : startedAtMs !== undefined ? "Running" : "Created";
  const common = {
    id,
    sandboxId,
    name,
    attempt,
    state,
    createdAtMs,
    startedAtMs,
    imageId,
    imageName,
    imageRef,
    user,
    logPath,
    labels,
    annotations,
  };
  return { ...common, ...end, ...(state === "Running" ? { pid: process?.pid } : {}) } as ContainerStatus;
}
