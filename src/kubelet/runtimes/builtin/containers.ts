import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { Env } from "../../../lib/env.ts";
import { type ContainerConfig, type ContainerStatus, RuntimeError, type RuntimeEvent } from "../../runtime.ts";
import { type ContainerLog, openContainerLog } from "./containerLog.ts";
import type { BuiltinProgram } from "./program.ts";

/** Exit code of what was ended against its will, with its process or after its grace: as by SIGKILL. */
const KILLED_EXIT_CODE = 137;
const FAILED_EXIT_CODE = 1;

interface Container {
  status: ContainerStatus;
  readonly config: ContainerConfig;
  /** Undefined: of a process before this one. */
  readonly program: BuiltinProgram | undefined;
  readonly abort: AbortController;
  log?: ContainerLog;
  readonly ended: Promise<void>;
  readonly markEnded: () => void;
}

/** Containers that are functions of this process. */
export class BuiltinContainers {
  readonly #env: Env;
  readonly #directory: string;
  readonly #emit: (event: RuntimeEvent) => void;
  readonly #containers = new Map<string, Container>();

  constructor(options: { env: Env; directory: string; emit: (event: RuntimeEvent) => void }) {
    this.#env = options.env;
    this.#directory = options.directory;
    this.#emit = options.emit;
    this.#adopt();
  }

  /** What ran in the process before this one ended with it. */
  #adopt(): void {
    for (const name of readdirSync(this.#directory).filter((file) => file.endsWith(".json"))) {
      const { status, config } = JSON.parse(readFileSync(join(this.#directory, name), "utf8"));
      const container = this.#add(status, config, undefined);
      if (container.status.state !== "Exited") this.#end(container, KILLED_EXIT_CODE);
    }
  }

  create(config: ContainerConfig, program: BuiltinProgram): string {
    const id = Buffer.from(this.#env.random.bytes(32)).toString("hex");
    const { sandboxId, name, attempt, imageId, imageName, imageRef, logPath, labels, annotations } = config;
    const createdAtMs = this.#env.clock.now();
    const about = { sandboxId, name, attempt, imageId, imageName, imageRef, logPath, labels, annotations };
    this.#save(this.#add({ id, ...about, state: "Created", createdAtMs }, config, program));
    return id;
  }

  #add(status: ContainerStatus, config: ContainerConfig, program: BuiltinProgram | undefined): Container {
    const { promise: ended, resolve: markEnded } = Promise.withResolvers<void>();
    const container = { status, config, program, abort: new AbortController(), ended, markEnded };
    this.#containers.set(status.id, container);
    return container;
  }

  start(id: string): void {
    const container = this.#get(id);
    const { config, program } = container;
    if (container.status.state !== "Created" || program === undefined) {
      throw new RuntimeError("RunContainerError", `container ${id} has been started before`);
    }
    const log = openContainerLog(config.logPath, this.#env.clock);
    container.log = log;
    container.status = { ...container.status, state: "Running", startedAtMs: this.#env.clock.now(), pid: process.pid };
    this.#save(container);
    this.#emit({ type: "container-started", containerId: id, sandboxId: config.sandboxId });
    const context = {
      args: [...config.command, ...config.args],
      env: Object.fromEntries(config.env.map(({ name, value }) => [name, value])),
      log: log.stream,
      signal: container.abort.signal,
      containerId: id,
      sandboxId: config.sandboxId,
      config,
    };
    // What a component throws must end its container, not the process.
    Promise.resolve()
      .then(() => program(context))
      .catch((error: unknown) => {
        log.stream.write(`${(error as Error).stack ?? error}\n`);
        return FAILED_EXIT_CODE;
      })
      .then((exitCode) => this.#end(container, exitCode));
  }

  async stop(id: string, graceMs: number): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined || container.status.state !== "Running") return;
    container.abort.abort();
    const done = new AbortController();
    const grace = this.#env.clock.sleep(graceMs, done.signal).catch(() => undefined);
    await Promise.race([container.ended, grace]);
    done.abort();
    this.#end(container, KILLED_EXIT_CODE);
  }

  async remove(id: string): Promise<void> {
    await this.stop(id, 0);
    this.#containers.delete(id);
    rmSync(this.#pathOf(id), { force: true });
  }

  async attach(id: string, stdout: Writable | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { log, ended } = this.running(id);
    const left = Promise.withResolvers<void>();
    const leave = () => left.resolve();
    signal?.addEventListener("abort", leave, { once: true });
    if (signal?.aborted) leave();
    const stop = log?.listen((data) => void stdout?.write(data));
    await Promise.race([ended, left.promise]);
    stop?.();
    signal?.removeEventListener("abort", leave);
  }

  reopenLog(id: string): void {
    this.#get(id).log?.reopen();
  }

  has(id: string): boolean {
    return this.#containers.has(id);
  }

  /** @throws RuntimeError unless it runs. */
  running(id: string): Container {
    const container = this.#get(id);
    if (container.status.state === "Running") return container;
    throw new RuntimeError("NotRunning", `container ${JSON.stringify(id)} is not running`);
  }

  list(): readonly ContainerStatus[] {
    return [...this.#containers.values()].map(({ status }) => status);
  }

  status(id: string): ContainerStatus | undefined {
    return this.#containers.get(id)?.status;
  }

  ofSandbox(sandboxId: string): readonly string[] {
    return this.list()
      .filter((status) => status.sandboxId === sandboxId)
      .map(({ id }) => id);
  }

  /** Lets the components put their things in order; the records say that they ran, for the next process. */
  async close(): Promise<void> {
    const running = [...this.#containers.values()].filter(({ status }) => status.state === "Running");
    this.#containers.clear();
    for (const { abort } of running) abort.abort();
    for (const { log } of running) log?.close();
  }

  #end(container: Container, exitCode: number): void {
    const { id, sandboxId, state } = container.status;
    if (state === "Exited") return;
    const reason = exitCode === 0 ? "Completed" : "Error";
    const { pid: _, ...before } = container.status;
    container.status = { ...before, state: "Exited", exitCode, reason, finishedAtMs: this.#env.clock.now() };
    container.log?.close();
    container.markEnded();
    if (!this.#containers.has(id)) return;
    this.#save(container);
    if (before.startedAtMs !== undefined) this.#emit({ type: "container-exited", containerId: id, sandboxId });
  }

  #get(id: string): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw new RuntimeError("NotFound", `container ${JSON.stringify(id)} does not exist`);
    return container;
  }

  #save({ status, config }: Container): void {
    const path = this.#pathOf(status.id);
    writeFileSync(`${path}.new`, JSON.stringify({ status, config }));
    renameSync(`${path}.new`, path);
  }

  #pathOf(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}
