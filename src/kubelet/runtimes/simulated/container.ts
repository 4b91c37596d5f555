/** One simulated container: a state, and timers that move it. */
import type { Env, Timer } from "../../../lib/env.ts";
import type { Files } from "../../files.ts";
import type { ContainerConfig, ContainerStatus } from "../../runtime.ts";
import { formatLogLine } from "../../server/logLines.ts";
import { type Behaviour, isHealthyAt } from "./behaviour.ts";

/** Code of a process ended by SIGKILL. */
const KILLED_EXIT_CODE = 137;

export class SimulatedContainer {
  readonly config: ContainerConfig;
  readonly behaviour: Behaviour;
  readonly #env: Env;
  readonly #files: Files;
  readonly #onExit: (container: SimulatedContainer) => void;
  #status: ContainerStatus;
  #timers: Timer[] = [];
  #exited: (() => void)[] = [];
  #logListeners = new Set<(text: string) => void>();

  constructor(options: {
    readonly id: string;
    readonly config: ContainerConfig;
    readonly behaviour: Behaviour;
    readonly env: Env;
    readonly files: Files;
    readonly onExit: (container: SimulatedContainer) => void;
  }) {
    const { id, config, behaviour, env, files, onExit } = options;
    this.config = config;
    this.behaviour = behaviour;
    this.#env = env;
    this.#files = files;
    this.#onExit = onExit;
    const { sandboxId, name, attempt, imageId, imageName, imageRef, logPath, labels, annotations } = config;
    this.#status = {
      ...{ id, sandboxId, name, attempt, imageId, imageName, imageRef, logPath, labels, annotations },
      state: "Created",
      createdAtMs: env.clock.now(),
    };
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  get isHealthy(): boolean {
    if (this.#status.state !== "Running") return false;
    return isHealthyAt(this.behaviour, this.#env.clock.now() - (this.#status.startedAtMs ?? 0));
  }

  get cpuUsageNs(): number {
    const endMs = this.#status.finishedAtMs ?? this.#env.clock.now();
    const runMs = endMs - (this.#status.startedAtMs ?? endMs);
    return Math.round(runMs * this.behaviour.cpuMilli * 1000);
  }

  async start(): Promise<void> {
    const { clock } = this.#env;
    const { startDelayMs, runForMs, exitCode, exitReason, logs, logEveryMs } = this.behaviour;
    if (startDelayMs > 0) await clock.sleep(startDelayMs);
    if (this.#status.state !== "Created") return;
    this.#status = { ...this.#status, state: "Running", startedAtMs: clock.now() };
    await this.#log(logs);
    if (logEveryMs !== undefined && logEveryMs > 0) this.#tick(logEveryMs);
    if (runForMs !== undefined) this.#after(runForMs, () => this.#exit(exitCode, exitReason));
  }

  /** Resolves when it has ended. */
  async stop(graceMs: number): Promise<void> {
    if (this.#status.state === "Created") this.#exit(0, undefined);
    if (this.#status.state !== "Running") return;
    const ended = new Promise<void>((resolve) => this.#exited.push(resolve));
    const { stopDelayMs, stopExitCode } = this.behaviour;
    if (stopDelayMs <= graceMs) this.#after(stopDelayMs, () => this.#exit(stopExitCode, undefined));
    else this.#after(graceMs, () => this.#exit(KILLED_EXIT_CODE, undefined));
    await ended;
  }

  kill(exitCode = KILLED_EXIT_CODE, reason?: string): void {
    if (this.#status.state !== "Exited") this.#exit(exitCode, reason);
  }

  onLog(listener: (text: string) => void): () => void {
    this.#logListeners.add(listener);
    return () => this.#logListeners.delete(listener);
  }

  /** Resolves at once where it has ended. */
  ended(): Promise<void> {
    if (this.#status.state === "Exited") return Promise.resolve();
    return new Promise((resolve) => this.#exited.push(resolve));
  }

  write(lines: readonly string[]): Promise<void> {
    return this.#log(lines);
  }

  #after(delayMs: number, run: () => void): void {
    if (delayMs <= 0) run();
    else this.#timers.push(this.#env.clock.setTimer(delayMs, run));
  }

  #tick(everyMs: number): void {
    this.#after(everyMs, () => {
      void this.#log([this.behaviour.logLine]);
      this.#tick(everyMs);
    });
  }

  async #log(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const nowMs = this.#env.clock.now();
    for (const listener of this.#logListeners) listener(`${lines.join("\n")}\n`);
    await this.#files.append(this.config.logPath, lines.map((line) => formatLogLine(nowMs, "stdout", line)).join(""));
  }

  #exit(exitCode: number, reason: string | undefined): void {
    if (this.#status.state === "Exited") return;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    const usual = exitCode === 0 ? "Completed" : "Error";
    this.#status = {
      ...this.#status,
      state: "Exited",
      finishedAtMs: this.#env.clock.now(),
      exitCode,
      reason: reason ?? usual,
    };
    const waiting = this.#exited;
    this.#exited = [];
    for (const resolve of waiting) resolve();
    this.#onExit(this);
  }
}
