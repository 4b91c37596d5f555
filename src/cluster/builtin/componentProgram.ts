/**
 * The container of a component that runs in the control-plane process; its log is the component's. Whoever ends the
 * container has the component restarted; a container that ends with the agent does not. A component that restarts for
 * another reason, such as its process, is followed on: its container would otherwise be held back by the kubelet while
 * the component runs.
 */

import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import type { BuiltinProgram } from "../../kubelet/runtimes/builtin/program.ts";
import type { Env } from "../../lib/env.ts";
import { untilAborted } from "./untilAborted.ts";

/** How often a component that does not run, or whose process does not, is asked for again. */
const ASK_AGAIN_MS = 100;

export interface ComponentProgramOptions {
  readonly env: Env;
  readonly socketPath: string;
  readonly component: string;
}

export const componentProgram =
  ({ env, socketPath, component }: ComponentProgramOptions): BuiltinProgram =>
  async ({ log, signal }) => {
    const ask = (method: "GET" | "POST") => request({ socketPath, method, path: `/${component}` });
    while (!signal.aborted) {
      const running = await untilRuns(env, () => ask("GET"), signal);
      if (running === undefined) break;
      const ended = forward(running, log);
      await Promise.race([ended, untilAborted(signal)]);
      if (!signal.aborted) continue;
      // A control plane that does not answer is not running either.
      await ask("POST").then(drained, () => undefined);
      await ended;
    }
    return 0;
  };

/** The log of the component, which flows as long as it runs; undefined: nobody wants it any more. */
async function untilRuns(env: Env, ask: () => Promise<IncomingMessage>, signal: AbortSignal) {
  while (!signal.aborted) {
    const response = await ask().catch(() => undefined);
    if (response?.statusCode === 200) return response;
    response?.resume();
    await env.clock.sleep(ASK_AGAIN_MS, signal).catch(() => undefined);
  }
  return undefined;
}

function request(options: { socketPath: string; method: string; path: string }): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ ...options, agent: false }, resolve);
    outgoing.once("error", reject);
    outgoing.end();
  });
}

/** Resolves when the component, or its process, has ended. */
function forward(response: IncomingMessage, log: Writable): Promise<void> {
  response.on("data", (data: Buffer) => log.write(data));
  return closed(response);
}

const drained = (response: IncomingMessage): Promise<void> => closed(response.resume());

const closed = (response: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    response.on("error", () => undefined);
    response.once("close", () => resolve());
  });
