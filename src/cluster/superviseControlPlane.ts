/**
 * Looks after the control-plane process: a shell, which weighs next to nothing, waits for it and starts it again when it
 * ends without having been asked to. It is the control plane's parent and alone in its session with it.
 *
 * Nobody can end both at once. So who stops a cluster ends the shell first, after which nothing is started again; and a
 * control plane that was started just before finds its parent gone, and goes too (`isAbandoned`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../lib/env.ts";
import { isAlive, readProcessRecord, signalProcess, writeProcessRecord } from "./processRecord.ts";

/** What a control plane ends with that could not start, as its port is busy or its store damaged. */
export const COULD_NOT_START = 78;
/** The first time it is started again at once, then after a second, doubled each time it ends soon. */
const RESTART_MAX_SECONDS = 30;
/** A control plane that has run this long starts the count anew. */
const RAN_WELL_SECONDS = 60;
const LOOK_AGAIN_MS = 2;
/** Who ends by itself as soon as this after its first start could not start either, though it did not get so far as to say so. */
const STARTED_SECONDS = 3;
/** What the shell adds to the number of a signal. */
const SIGNAL_CODE_MIN = 128;

/**
 * The first start is awaited by a person, who is told why it failed; that is not tried again. One that was told to end
 * ends with 0.
 */
const SCRIPT = `
restarts=0 pause=0
while :; do
  began=$(date +%s)
  SKIFF_SUPERVISOR=$$ SKIFF_RESTARTS=$restarts SKIFF_ENDED_WITH=$code "$@"
  code=$?
  [ $code -eq 0 ] && exit 0
  ran=$(($(date +%s) - began))
  [ $code -eq ${COULD_NOT_START} ] && [ $restarts -eq 0 ] && exit $code
  [ $code -lt ${SIGNAL_CODE_MIN} ] && [ $restarts -eq 0 ] && [ $ran -lt ${STARTED_SECONDS} ] && exit $code
  [ $ran -ge ${RAN_WELL_SECONDS} ] && pause=0
  sleep $pause
  pause=$((pause * 2 + (pause == 0)))
  [ $pause -gt ${RESTART_MAX_SECONDS} ] && pause=${RESTART_MAX_SECONDS}
  restarts=$((restarts + 1))
done`;

export interface Supervised {
  readonly command: readonly string[];
  /** Where the shell's process is written down. */
  readonly record: string;
  /** Descriptor of the log. */
  readonly log: number;
}

/** Its descriptor 3 is the control plane's. */
export function spawnSupervised({ command, record, log }: Supervised): ChildProcess {
  // In a session of its own, so that Ctrl-C in this terminal does not reach it.
  const child = spawn("/bin/sh", ["-c", SCRIPT, "skiff", ...command], {
    detached: true,
    stdio: ["ignore", log, log, "pipe"],
    cwd: "/",
  });
  if (child.pid !== undefined) writeProcessRecord(record, child.pid);
  return child;
}

/** From here on nothing starts the control plane again. */
export async function endSupervisor(record: string, clock: Clock): Promise<void> {
  const shell = readProcessRecord(record);
  if (shell === undefined) return;
  signalProcess(shell, "SIGTERM");
  while (isAlive(shell)) await clock.sleep(LOOK_AGAIN_MS);
}

export interface Parentage {
  readonly ppid: number;
  readonly env: {
    readonly SKIFF_SUPERVISOR?: string;
    readonly SKIFF_RESTARTS?: string;
    readonly SKIFF_ENDED_WITH?: string;
  };
}

/** Whether the shell that started this process has been ended; never true of one that somebody started by hand. */
export const isAbandoned = ({ ppid, env }: Parentage): boolean =>
  env.SKIFF_SUPERVISOR !== undefined && Number(env.SKIFF_SUPERVISOR) !== ppid;

/** For the log: how often it has been started again, and what the last one ended with. */
export const restartsOf = ({ env }: Parentage): { readonly restarts: number; readonly endedWith: number } => ({
  restarts: Number(env.SKIFF_RESTARTS ?? 0),
  endedWith: Number(env.SKIFF_ENDED_WITH ?? 0),
});
