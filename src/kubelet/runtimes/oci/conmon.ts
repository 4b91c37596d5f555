import { spawn } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { RuntimeError } from "../../runtime.ts";
import { exitDirectory, type OciContext, runtimeRoot, socketsDirectory } from "./context.ts";

/** Exit code of a container that could not be started. Source: containerd cri container_start.go, errorStartExitCode. */
export const START_ERROR_EXIT_CODE = 128;

/** Descriptor on which conmon tells how the creation went. */
const SYNC_DESCRIPTOR = 3;

export interface ConmonOptions {
  readonly id: string;
  readonly bundle: string;
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
}

/** Arguments that every conmon of ours has, for containers and for sessions in them. */
export function conmonArguments(context: OciContext, options: ConmonOptions): string[] {
  return [
    ["--api-version", "1"],
    ["-r", context.ociRuntime],
    ["-c", options.id],
    ["-n", options.id],
    ["-u", options.id],
    ["-b", options.bundle],
    ["-0", options.bundle],
    ["-p", join(options.bundle, "pidfile")],
    ["-P", join(options.bundle, "conmon.pid")],
    ["-l", `k8s-file:${options.logPath}`],
    ["--full-attach", "--no-sync-log"],
    options.stdin ? ["-i"] : [],
    options.stdin && !options.stdinOnce ? ["--leave-stdin-open"] : [],
    options.tty ? ["-t"] : [],
  ].flat();
}

/** Longest path of a socket, less what conmon adds: "/conmon-term.XXXXXX". Source: unix(7), sun_path. */
const SOCKET_DIRECTORY_LENGTH_MAX = 107 - 19;

/** What it leaves in its temporary directory when it is killed goes with the node. */
export function conmonEnvironment(context: OciContext): Record<string, string | undefined> {
  const directory = socketsDirectory(context);
  const isShort = Buffer.byteLength(directory) <= SOCKET_DIRECTORY_LENGTH_MAX;
  return { PATH: process.env.PATH, ...(isShort ? { TMPDIR: directory } : {}) };
}

/**
 * Creates a container under a conmon of its own, which leaves our session and outlives us: it keeps the log, the
 * streams, and the exit code for whoever comes after.
 * @returns the process id of the container, which waits to be started.
 */
export async function createUnderConmon(context: OciContext, options: ConmonOptions): Promise<number> {
  const root = ["--runtime-arg", `--root=${runtimeRoot(context)}`];
  const args = [...conmonArguments(context, options), ...root, "--exit-dir", exitDirectory(context)];
  const child = spawn(context.conmon, args, {
    cwd: options.bundle,
    env: { ...conmonEnvironment(context), _OCI_SYNCPIPE: String(SYNC_DESCRIPTOR) },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const complaint = text(child.stderr as Readable).catch(() => "");
  const sync = child.stdio[SYNC_DESCRIPTOR] as Readable;
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const answer = await Promise.race([firstLine(sync), failed]);
  sync.destroy();
  const { data, message } = answer === "" ? { data: -1, message: await complaint } : parseAnswer(answer);
  child.stderr?.destroy();
  if (data > 0) return data;
  throw new RuntimeError("RunContainerError", cleanMessage(message), { exitCode: START_ERROR_EXIT_CODE });
}

export function parseAnswer(line: string): { data: number; message: string } {
  const { data, message = "" } = JSON.parse(line) as { data: number; message?: string };
  return { data, message };
}

/** The runtime's own words, without the time stamps and log prefixes around them. */
export function cleanMessage(message: string): string {
  const lines = message.split("\n").map((line) => loggedMessage(line.trim()));
  const kept = lines.filter((line) => line !== "");
  return (
    kept.map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z?:?\s*/, "")).join("; ") || "the container runtime failed"
  );
}

/** runc's lines are `time="…" level=error msg="…"`. */
function loggedMessage(line: string): string {
  const quoted = /^time=.* msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  return quoted === undefined ? line : JSON.parse(quoted);
}

/** Up to the first newline or the end. */
export async function firstLine(stream: Readable): Promise<string> {
  let line = "";
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    line += piece;
    if (line.includes("\n")) break;
  }
  return line.split("\n", 1)[0] as string;
}

/** Tells a conmon something through its control pipe. @returns false when that conmon is dead. */
function control(bundle: string, command: string): boolean {
  try {
    const pipe = openSync(join(bundle, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(pipe, command);
    } finally {
      closeSync(pipe);
    }
    return true;
  } catch (error) {
    if (["ENXIO", "ENOENT", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

/** Numbers of the control pipe's commands. Source: conmon src/ctrl.c, WIN_RESIZE_EVENT and REOPEN_LOGS_EVENT. */
export const resizeTerminal = (bundle: string, size: { rows: number; columns: number }): boolean =>
  control(bundle, `1 ${size.rows} ${size.columns}\n`);
export const reopenLog = (bundle: string): boolean => control(bundle, "2 0 0\n");

export function conmonPid(bundle: string): number | undefined {
  try {
    return Number(readFileSync(join(bundle, "conmon.pid"), "utf8"));
  } catch {
    return undefined;
  }
}
