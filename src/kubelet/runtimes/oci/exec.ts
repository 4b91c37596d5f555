import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Writable } from "node:stream";
import { type ExecRequest, type ExecSyncResult, RuntimeError } from "../../runtime.ts";
import { START_ERROR_EXIT_CODE } from "./conmon.ts";
import { bundleOf, type OciContext, runtimeRoot } from "./context.ts";
import type { OciSpec } from "./ociSpec.ts";
import { collectOrphans } from "./orphans.ts";
import { type ContainerRecord, identifyProcess, signalProcess } from "./records.ts";
import { drainInto, feed } from "./streams.ts";

/** How often it is looked whether the program has started. */
const START_POLL_MS = 1;
/** How long the runtime may take to start a program that is no longer wanted. */
const KILL_WAIT_MS_MAX = 2_000;
/** Per stream. Source: kubelet pkg/probe/exec/exec.go, maxReadLength is 10 KiB; CRI runtimes keep 16 KiB. */
const SYNC_OUTPUT_BYTES_MAX = 16 * 1024;

/** Runs a command in a container with its streams on pipes. */
export async function execOnPipes(context: OciContext, record: ContainerRecord, request: ExecRequest): Promise<number> {
  const directory = join(bundleOf(context, record.id), "exec", context.env.random.uuid());
  await mkdir(directory, { recursive: true });
  try {
    return await runExec(context, record, request, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runExec(
  context: OciContext,
  record: ContainerRecord,
  request: ExecRequest,
  directory: string,
): Promise<number> {
  const pidFile = join(directory, "pid");
  const processFile = writeProcess(context, record, directory, request);
  const options = ["--pid-file", pidFile, "--process", processFile];
  const args = [...ociArguments(context, directory), "exec", ...options, record.id];
  const child = spawn(context.ociRuntime, args, { stdio: ["pipe", "pipe", "pipe"] });
  const closed = new Promise<number>((resolve, reject) => {
    child.once("close", (code) => resolve(code ?? -1)).once("error", reject);
  });
  const kill = () => void killExec(context, child, pidFile);
  request.signal?.addEventListener("abort", kill, { once: true });
  if (request.signal?.aborted) kill();
  feed(request.stdin, child.stdin as Writable);
  const hasStarted = async () => {
    while (child.exitCode === null && !existsSync(pidFile)) await context.env.clock.sleep(START_POLL_MS);
    return existsSync(pidFile);
  };
  await Promise.all([
    drainInto(child.stdout as Readable, request.stdout),
    // Until the program has started, the runtime complains there, and that is told by the error.
    drainInto(child.stderr as Readable, request.stderr, hasStarted),
  ]);
  const code = await closed;
  request.stdin?.unpipe(child.stdin as Writable);
  request.signal?.removeEventListener("abort", kill);
  const complaint = code === 0 ? undefined : runtimeComplaint(directory);
  if (complaint === undefined) return code;
  // What it forked for the program it has left behind, dead.
  collectOrphans();
  throw new RuntimeError("ExecError", complaint, { exitCode: START_ERROR_EXIT_CODE });
}

/** Describes the program to be run: as the container's own, but for its arguments. @returns the file's path. */
export function writeProcess(
  context: OciContext,
  record: ContainerRecord,
  directory: string,
  request: Pick<ExecRequest, "command" | "tty">,
): string {
  const spec: OciSpec = JSON.parse(readFileSync(join(bundleOf(context, record.id), "config.json"), "utf8"));
  const hasType = !request.tty || spec.process.env.some((line) => line.startsWith("TERM="));
  const env = hasType ? spec.process.env : [...spec.process.env, "TERM=xterm"];
  const path = join(directory, "process.json");
  writeFileSync(path, JSON.stringify({ ...spec.process, env, terminal: request.tty, args: request.command }));
  return path;
}

/** Has the runtime write what it has to say itself into a file, apart from the program's output. */
export const ociArguments = (context: OciContext, directory: string): string[] => [
  `--root=${runtimeRoot(context)}`,
  `--log=${join(directory, "log")}`,
  "--log-format=json",
];

/** What the runtime logged as an error: it could not start the program. */
export function runtimeComplaint(directory: string): string | undefined {
  const path = join(directory, "log");
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("{"));
  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => ["error", "fatal"].includes(level));
  return errors.length === 0 ? undefined : errors.map((entry) => entry.msg).join("; ");
}

/**
 * The runtime does not pass SIGKILL on, so the program itself is killed, as soon as it is known, and the runtime sees it
 * end.
 */
async function killExec(context: OciContext, child: ChildProcess, pidFile: string): Promise<void> {
  for (let waitedMs = 0; child.exitCode === null && waitedMs < KILL_WAIT_MS_MAX; waitedMs += START_POLL_MS) {
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    const program = pid > 0 ? identifyProcess(pid) : undefined;
    if (program !== undefined) return signalProcess(program, "SIGKILL");
    await context.env.clock.sleep(START_POLL_MS);
  }
  child.kill("SIGKILL");
}

/** For probes and hooks. @throws RuntimeError also when it takes longer than `timeoutMs`. */
export async function execSync(
  context: OciContext,
  record: ContainerRecord,
  command: readonly string[],
  timeoutMs: number,
): Promise<ExecSyncResult> {
  const [stdout, stderr] = [boundedOutput(), boundedOutput()];
  const [expired, done] = [new AbortController(), new AbortController()];
  const timeout = context.env.clock.sleep(timeoutMs, done.signal).then(
    () => expired.abort(),
    () => undefined,
  );
  try {
    const request = { containerId: record.id, command, tty: false, stdout: stdout.stream, stderr: stderr.stream };
    const exitCode = await execOnPipes(context, record, { ...request, signal: expired.signal });
    if (!expired.signal.aborted) return { exitCode, stdout: stdout.bytes(), stderr: stderr.bytes() };
  } finally {
    done.abort();
    await timeout;
  }
  // Source: cri-client remote_runtime.go, ErrCommandTimedOut.
  const text = `command timed out: ${JSON.stringify(command.join(" "))} timed out after ${timeoutMs / 1000}s`;
  throw new RuntimeError("DeadlineExceeded", text);
}

/** Keeps the beginning and throws the rest away. */
function boundedOutput(): { stream: Writable; bytes: () => Uint8Array } {
  const pieces: Buffer[] = [];
  let size = 0;
  const stream = new Writable({
    write(piece: Buffer, _encoding, done) {
      const kept = piece.subarray(0, SYNC_OUTPUT_BYTES_MAX - size);
      if (kept.length > 0) pieces.push(kept);
      size += kept.length;
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(pieces) };
}
