import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Random } from "../../lib/env.ts";
import type { SqliteOptions } from "../engines/sqliteFile.ts";
import { checkStorage, type Known, NOTHING_KNOWN } from "./check.ts";
import { type CutMode, Disk, type DiskStep } from "./disk.ts";
import type { FromTracer, TracerOptions } from "./tracer.ts";
import { decodeAcknowledgements } from "./values.ts";

const FILE = "storage.db";
/** Pages in the log until it is written back: few, so that rounds also end in the middle of that. */
const CHECKPOINT_PAGES = 100;
/** Steps of the disk after which a process is killed at the latest. */
const KILL_STEP_MAX = 600;
const CUT_MODES: readonly CutMode[] = ["none", "all", "some"];

type Files = ReadonlyMap<string, Uint8Array>;

export interface RoundStart {
  readonly files: Files;
  readonly known: Known;
}

export const EMPTY_START: RoundStart = { files: new Map(), known: NOTHING_KNOWN };

export interface RoundResult {
  readonly acknowledged: number;
  readonly steps: number;
  /** What SIGKILL alone would have shown. */
  readonly killProblems: readonly string[];
  readonly powerProblems: readonly string[];
  /** What the next round can begin with: what the kill left, or what a power cut did. */
  readonly ends: readonly RoundStart[];
}

function writeFiles(directory: string, files: Files): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(directory, basename(name)), content);
}

const readFiles = (directory: string): Files =>
  new Map(readdirSync(directory).map((name) => [join(directory, name), readFileSync(join(directory, name))]));

interface Run {
  /** What the process said before it was killed. */
  readonly told: string;
  readonly steps: readonly DiskStep[];
}

/** Lets a writer run until it is killed at a random step of the disk. */
async function runWriter(
  directory: string,
  seed: string,
  random: Random,
  options: Partial<SqliteOptions>,
): Promise<Run> {
  const args = [join(directory, FILE), seed, JSON.stringify({ checkpointPages: CHECKPOINT_PAGES, ...options })];
  const script = fileURLToPath(new URL("./writer.ts", import.meta.url));
  const child = spawn(execPath, [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "close");
  try {
    const chunks: Buffer[] = [];
    const [ready] = (await once(child.stdout, "data")) as [Buffer];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const tracerOptions: TracerOptions = {
      pid: child.pid as number,
      thread: Number(ready.toString()),
      directory,
      killAtStep: random.int(KILL_STEP_MAX),
      killBefore: random.int(2) === 0,
    };
    const steps = await trace(tracerOptions, () => child.stdin.write("open\n"));
    await exited;
    return { told: Buffer.concat(chunks).toString(), steps };
  } finally {
    child.kill("SIGKILL");
  }
}

function trace(options: TracerOptions, onFollowing: () => void): Promise<readonly DiskStep[]> {
  const tracer = new Worker(new URL("./tracer.ts", import.meta.url), { workerData: options, execArgv: [] });
  return new Promise((resolve, reject) => {
    tracer.on("error", reject);
    tracer.on("exit", () => reject(new Error("the tracer ended early")));
    tracer.on("message", (message: FromTracer) => {
      if (message.type === "following") onFollowing();
      else resolve(message.steps);
    });
  });
}

/** Cuts the power after `count` steps: what had been told by then must be there. */
async function cutPower(
  directory: string,
  start: RoundStart,
  steps: readonly DiskStep[],
  mode: CutMode,
  random: Random,
) {
  const disk = new Disk(start.files);
  for (const step of steps) disk.replay(step);
  const files = disk.cut(mode, random);
  const told = steps.map((step) => (step.type === "tell" ? step.text : "")).join("");
  writeFiles(directory, files);
  const { problems, known } = await checkStorage(join(directory, FILE), start.known, decodeAcknowledgements(told));
  return {
    problems: problems.map((problem) => `power cut (${mode}) after step ${steps.length}: ${problem}`),
    known,
    files,
  };
}

/**
 * One process, killed once, and the power cut at the same moment and at some earlier one.
 * @param directory is emptied and used; the caller removes it.
 */
export async function crashRound(
  directory: string,
  start: RoundStart,
  seed: string,
  random: Random,
  options: Partial<SqliteOptions> = {},
): Promise<RoundResult> {
  const [live, copy] = [join(directory, "live"), join(directory, "copy")];
  writeFiles(live, start.files);
  const here: RoundStart = { ...start, files: readFiles(live) };
  const { told, steps } = await runWriter(live, seed, random, options);

  const left = readFiles(live);
  writeFiles(copy, left);
  const acknowledged = decodeAcknowledgements(told);
  const killed = await checkStorage(join(copy, FILE), start.known, acknowledged);

  const mode = () => CUT_MODES[random.int(CUT_MODES.length)] as CutMode;
  const atKill = await cutPower(copy, here, steps, mode(), random);
  const earlier = await cutPower(copy, here, steps.slice(0, random.int(steps.length + 1)), mode(), random);
  return {
    acknowledged: acknowledged.length,
    steps: steps.length,
    killProblems: killed.problems.map((problem) => `killed after step ${steps.length}: ${problem}`),
    powerProblems: [...atKill.problems, ...earlier.problems],
    ends: [{ files: left, known: killed.known }, atKill, earlier],
  };
}
