/** Starts the control-plane process in the background, and follows what it says until the cluster is there. */
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { ClusterConfig } from "./clusterConfig.ts";
import { fullDiskError } from "./fullDisk.ts";
import { clusterPaths } from "./paths.ts";
import type { Progress } from "./progress.ts";
import { skiffArguments } from "./skiffArguments.ts";
import { spawnSupervised } from "./superviseControlPlane.ts";
import { typedCommand } from "./typedCommand.ts";
import { UserError } from "./userError.ts";

/** What the control-plane process says on its descriptor 3, one JSON line each. */
export type StartMessage =
  /** It is written down, so that others find it. */
  | { readonly type: "begun" }
  | { readonly type: "step"; readonly title: string; readonly durationMs: number }
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "serving" }
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string };

const LOOK_AT_DISK_MS = 1_000;

export interface StartingControlPlane {
  /** These resolve also when the start has failed, as `until` then says. */
  readonly begun: Promise<void>;
  readonly serving: Promise<void>;
  /** @throws UserError */
  until(goal: "serving" | "ready", withinSeconds: number): Promise<void>;
}

export function startControlPlane(config: ClusterConfig, progress: Progress): StartingControlPlane {
  const paths = clusterPaths(config.name);
  for (const directory of [paths.run, paths.logs]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = join(paths.logs, "control-plane.log");
  const logFile = openSync(log, "a", 0o600);
  const child = spawnSupervised({
    command: [process.execPath, ...skiffArguments(), "control-plane", "--name", config.name],
    record: paths.supervisorProcess,
    log: logFile,
  });
  closeSync(logFile);
  const said = {
    begun: Promise.withResolvers<void>(),
    serving: Promise.withResolvers<void>(),
    ready: Promise.withResolvers<void>(),
  };
  const failed = (error: Error) => {
    for (const { reject } of Object.values(said)) reject(error);
  };
  // Who waits for neither is told by the other.
  for (const { promise } of Object.values(said)) promise.catch(() => undefined);
  child.once("error", failed);
  child.once("exit", (code, signal) => failed(endedError(config.name, log, code, signal)));
  const messages = createInterface({ input: child.stdio[3] as Readable });
  messages.on("line", (line) => {
    const message = JSON.parse(line) as StartMessage;
    if (message.type === "step") progress.done(message.title, message.durationMs);
    else if (message.type === "warning") progress.warn(message.text);
    else if (message.type === "failed") failed(new UserError(message.message));
    else said[message.type].resolve();
  });
  return {
    begun: said.begun.promise.catch(() => undefined),
    serving: said.serving.promise.catch(() => undefined),
    until: async (goal, withinSeconds) => {
      let deadline: NodeJS.Timeout | undefined;
      let looking: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        deadline = setTimeout(() => reject(notReady(config.name, withinSeconds)), withinSeconds * 1000);
        // What waits for the disk waits for ever.
        looking = setInterval(() => {
          const full = fullDiskError(paths.data);
          if (full !== undefined) reject(full);
        }, LOOK_AT_DISK_MS);
      });
      try {
        await Promise.race([said[goal].promise, late]);
      } finally {
        clearTimeout(deadline);
        clearInterval(looking);
        messages.close();
        (child.stdio[3] as Readable).destroy();
        child.unref();
      }
    },
  };
}

/** The shell is told to end when the cluster is, and otherwise ends with what the control plane ended with. */
function endedError(name: string, log: string, code: number | null, signal: string | null): UserError {
  if (signal === "SIGTERM") return new UserError(`cluster "${name}" was stopped while it was starting`);
  return new UserError(`the control plane ended (${signal ?? `exit code ${code}`}): ${lastLine(log)}`);
}

export const notReady = (name: string, seconds: number) =>
  new UserError(`cluster "${name}" was not Ready within ${seconds} s; see: ${typedCommand("logs", name)}`);

function lastLine(path: string): string {
  try {
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    // What Node prints of an error that nobody caught has the error somewhere in the middle.
    return lines.findLast((line) => /^(\{"|\w*Error\b)/.test(line)) ?? lines.at(-1) ?? "it said nothing";
  } catch {
    return `${path} is not there any more`;
  }
}
