import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { type ExecRequest, RuntimeError } from "../../runtime.ts";
import { runSession } from "./attach.ts";
import { cleanMessage, conmonArguments, conmonEnvironment, parseAnswer, START_ERROR_EXIT_CODE } from "./conmon.ts";
import { bundleOf, type OciContext } from "./context.ts";
import { ociArguments, runtimeComplaint, writeProcess } from "./exec.ts";
import { collectOrphans } from "./orphans.ts";
import { PacketSocket } from "./packetSocket.ts";
import { type ContainerRecord, identifyProcess, type ProcessIdentity, signalProcess } from "./records.ts";

/** Descriptors that conmon speaks on: how it went, when to go on, and when its attach socket is there. */
const [SYNC, START, ATTACH] = [3, 4, 5];

/**
 * Runs a command in a container on a terminal of its own. conmon holds the terminal, because only it passes new sizes
 * on; it waits for us twice, before it makes the attach socket and before it starts the program, so that no output is
 * missed.
 */
export async function execOnTerminal(
  context: OciContext,
  record: ContainerRecord,
  request: ExecRequest,
): Promise<number> {
  const directory = join(bundleOf(context, record.id), "exec", context.env.random.uuid());
  await mkdir(directory, { recursive: true });
  try {
    return await runUnderConmon(context, record, request, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runUnderConmon(
  context: OciContext,
  record: ContainerRecord,
  request: ExecRequest,
  directory: string,
): Promise<number> {
  const options = { id: record.id, bundle: directory, logPath: "/dev/null", stdin: true, stdinOnce: false, tty: true };
  const runtimeArguments = ociArguments(context, directory).flatMap((argument) => ["--runtime-arg", argument]);
  const processFile = writeProcess(context, record, directory, request);
  const execArguments = [...runtimeArguments, "-e", "--exec-attach", "--exec-process-spec", processFile];
  const child = spawn(context.conmon, [...conmonArguments(context, options), ...execArguments], {
    cwd: directory,
    env: {
      ...conmonEnvironment(context),
      _OCI_SYNCPIPE: `${SYNC}`,
      _OCI_STARTPIPE: `${START}`,
      _OCI_ATTACHPIPE: `${ATTACH}`,
    },
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe", "pipe"],
  });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const sync = createInterface({ input: child.stdio[SYNC] as Readable })[Symbol.asyncIterator]();
  const attach = createInterface({ input: child.stdio[ATTACH] as Readable })[Symbol.asyncIterator]();
  const start = child.stdio[START] as Writable;
  start.on("error", () => undefined);
  start.write("\0");
  await Promise.race([attach.next(), failed]);
  const socket = new PacketSocket(directory);
  start.end("\0");
  let target: ProcessIdentity | undefined;
  const kill = () => target !== undefined && signalProcess(target, "SIGKILL");
  request.signal?.addEventListener("abort", kill, { once: true });
  try {
    target = identifyProcess(await answerOf(sync, directory));
    const [exitCode] = await Promise.all([answerOf(sync, directory), runSession(socket, directory, request)]);
    return exitCode;
  } finally {
    request.signal?.removeEventListener("abort", kill);
    socket.close();
  }
}

/** conmon says nothing when the runtime fails, but hangs up. */
async function answerOf(lines: AsyncIterator<string>, directory: string): Promise<number> {
  const { value, done } = await lines.next();
  const { data, message } = done ? { data: -1, message: "" } : parseAnswer(value);
  if (data >= 0) return data;
  collectOrphans();
  const complaint = runtimeComplaint(directory) ?? cleanMessage(message);
  throw new RuntimeError("ExecError", complaint, { exitCode: START_ERROR_EXIT_CODE });
}
