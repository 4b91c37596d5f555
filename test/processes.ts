/** Programs that the tests run as a person would: to the end, or in the background while something else happens. */
import { type ChildProcess, spawn } from "node:child_process";

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  /** Of a program ended by a signal: 128 and the signal's number is what a shell would say; here it is -1. */
  readonly code: number;
}

export interface StartOptions {
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is then closed. Without it the input stays open for `write`. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
}

export interface Running {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly write: (text: string) => void;
  readonly closeInput: () => void;
  /** Waits until what was written to standard output matches. @throws Error when the program ends or takes too long */
  readonly untilOutput: (pattern: RegExp, withinMs?: number) => Promise<RegExpExecArray>;
  readonly finished: Promise<Finished>;
  /** Ends it, if it still runs, and waits. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Finished>;
}

/** How long a program may take whose end is awaited. */
export const RUN_WITHIN_MS = 90_000;
const OUTPUT_WITHIN_MS = 30_000;

export function start(command: readonly string[], options: StartOptions = {}): Running {
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { env: { ...process.env, ...options.env }, cwd: options.cwd });
  const output = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      for (const listener of listeners) listener();
    });
  }
  // A program may end before it has read everything.
  child.stdin.on("error", () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);
  const finished = whenFinished(child, output);
  return {
    pid: child.pid ?? -1,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    write: (text) => child.stdin.write(text),
    closeInput: () => child.stdin.end(),
    untilOutput: (pattern, withinMs = OUTPUT_WITHIN_MS) =>
      matched({ command, pattern, withinMs, output, listeners, finished }),
    finished,
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return finished;
    },
  };
}

function whenFinished(child: ChildProcess, output: { stdout: string; stderr: string }): Promise<Finished> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ ...output, code: code ?? -1 }));
  });
}

interface Match {
  readonly command: readonly string[];
  readonly pattern: RegExp;
  readonly withinMs: number;
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly listeners: Set<() => void>;
  readonly finished: Promise<Finished>;
}

function matched({ command, pattern, withinMs, output, listeners, finished }: Match): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = pattern.exec(output.stdout);
      if (found === null) return false;
      end();
      resolve(found);
      return true;
    };
    const fail = (why: string) => {
      end();
      reject(new Error(`${command.join(" ")}: ${why} without ${pattern}:\n${output.stdout}\n${output.stderr}`));
    };
    const deadline = setTimeout(() => fail(`waited ${withinMs} ms`), withinMs);
    const end = () => {
      clearTimeout(deadline);
      listeners.delete(look);
    };
    listeners.add(look);
    if (!look()) void finished.then(() => look() || fail("it ended"), fail);
  });
}

/** Runs a program to its end, whatever its exit code. @throws Error when it does not end in time */
export async function tryRun(command: readonly string[], options: StartOptions = {}): Promise<Finished> {
  const running = start(command, { input: "", ...options });
  const deadline = setTimeout(() => void running.stop("SIGKILL"), RUN_WITHIN_MS);
  try {
    return await running.finished;
  } finally {
    clearTimeout(deadline);
  }
}

/** @returns standard output @throws Error when it fails */
export async function run(command: readonly string[], options: StartOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRun(command, options);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}
