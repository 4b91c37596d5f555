/**
 * Looks after one node's agent: takes over the one that runs, or starts one, and starts it again when it ends. There is
 * never a second one beside it, whoever was killed when: the agent's process is written down before it has done anything,
 * and as long as it lives it is waited for.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { connect } from "node:net";
import type { Env } from "../lib/env.ts";
import { isAlive, type ProcessRecord, readProcessRecord, signalProcess, writeProcessRecord } from "./processRecord.ts";

/** An agent that ends is started again after this, doubled each time it ends soon. */
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 30_000;
/** An agent that has run this long starts the count anew. */
const RAN_WELL_MS = 60_000;
/** An agent that does not listen (yet, or any more) is looked at again after this. */
const LOOK_AGAIN_MS = 50;
/** An agent that is told to end has this long until the control plane goes without waiting for it. */
const END_WITHIN_MS = 2_000;

export interface SupervisedAgent {
  readonly name: string;
  /** Must become the agent itself, as `exec` does: its process is the one that is written down. */
  readonly command: readonly string[];
  /** Where its process is written down. */
  readonly process: string;
  readonly agentSocket: string;
  readonly log: string;
}

/** @returns how to end the agent; resolves when it has ended, or does not. */
export function superviseAgent(env: Env, agent: SupervisedAgent): () => Promise<void> {
  const stopping = new AbortController();
  void supervise(env, agent, stopping.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return async () => {
    stopping.abort();
    const record = readProcessRecord(agent.process);
    if (record === undefined) return;
    signalProcess(record, "SIGTERM");
    const untilMs = env.clock.monotonic() + END_WITHIN_MS;
    while (isAlive(record) && env.clock.monotonic() < untilMs) await env.clock.sleep(LOOK_AGAIN_MS);
  };
}

async function supervise(env: Env, agent: SupervisedAgent, signal: AbortSignal): Promise<void> {
  let restartMs = RESTART_FIRST_MS;
  while (!signal.aborted) {
    const startedMs = env.clock.monotonic();
    const running = readProcessRecord(agent.process);
    if (running === undefined) await ended(env, spawnAgent(agent));
    else await over(env, agent, running, signal);
    if (signal.aborted) return;
    const ranMs = env.clock.monotonic() - startedMs;
    if (ranMs >= RAN_WELL_MS) restartMs = RESTART_FIRST_MS;
    env.log.warn("a node's agent has ended and is started again", { node: agent.name, ranMs, restartMs });
    await env.clock.sleep(restartMs, signal);
    restartMs = Math.min(restartMs * 2, RESTART_MAX_MS);
  }
}

function spawnAgent({ command, log, process: record }: SupervisedAgent): ChildProcess {
  const output = openSync(log, "a", 0o600);
  const [program, ...args] = command as [string, ...string[]];
  // In a session of its own: it outlives this process.
  const child = spawn(program, args, { detached: true, stdio: ["ignore", output, output], cwd: "/" });
  closeSync(output);
  if (child.pid !== undefined) writeProcessRecord(record, child.pid);
  child.unref();
  return child;
}

const ended = ({ log }: Env, child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      log.error("a node's agent could not be started", { error });
      resolve();
    });
  });

/** Resolves when an agent that is not our child has ended: a connection to it is lost then, without polling. */
async function over(env: Env, { agentSocket }: SupervisedAgent, record: ProcessRecord, signal: AbortSignal) {
  while (isAlive(record)) {
    await connectionLost(agentSocket, signal);
    if (isAlive(record)) await env.clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

const connectionLost = (path: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ path, signal });
    socket.on("error", () => undefined);
    socket.once("close", () => resolve());
    // Nothing is said, but only who reads hears the end.
    socket.resume();
  });
