/** `skiff up`: from nothing, or from what is there, to a cluster whose nodes are Ready. Safe to repeat. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import {
  CLUSTER_DNS,
  type ClusterConfig,
  checkClusterName,
  nodeNames,
  POD_CIDR,
  type RuntimeName,
  readClusterConfig,
  SERVICE_CIDR,
  writeClusterConfig,
} from "./clusterConfig.ts";
import { clusterNames } from "./commands/list.ts";
import { containersImpossible, findProgram } from "./doctor.ts";
import { clusterPaths } from "./paths.ts";
import { readProcessRecord, writeProcessRecord } from "./processRecord.ts";
import type { Progress } from "./progress.ts";
import { realClock } from "./realEnv.ts";
import { skiffArguments } from "./skiffArguments.ts";
import { UserError } from "./userError.ts";

export interface UpOptions {
  readonly name: string;
  readonly nodes?: number;
  readonly runtime?: string;
  readonly port?: number;
  /** Seconds. */
  readonly wait: number;
  readonly sample?: boolean;
  /** Gives up before the next thing is started. */
  readonly signal?: AbortSignal;
}

/** kubectl's customary port; further clusters take the next free ones. */
const API_PORT_FIRST = 6443;
const API_PORTS_TRIED_MAX = 200;

export async function bringUp(options: UpOptions, progress: Progress): Promise<ClusterConfig> {
  checkClusterName(options.name);
  const paths = clusterPaths(options.name);
  const config = await configFor(options, progress);
  options.signal?.throwIfAborted();
  if (readProcessRecord(paths.controlPlaneProcess) !== undefined) {
    progress.note(`cluster "${options.name}" is already running`);
    if (options.wait > 0) await untilReady(options);
  } else {
    if (!(await isPortFree(config.apiPort))) {
      throw new UserError(
        `port ${config.apiPort} on 127.0.0.1 is in use by another program, and cluster "${options.name}" needs it; end that program, or use another port: skiff up --port <port>`,
      );
    }
    options.signal?.throwIfAborted();
    await startControlPlane(config, options.wait, progress);
  }
  options.signal?.throwIfAborted();
  if (options.sample === true) await (await import("./sample.ts")).deploySample(options.name, progress);
  return config;
}

async function configFor(options: UpOptions, progress: Progress): Promise<ClusterConfig> {
  const paths = clusterPaths(options.name);
  const existing = readClusterConfig(paths);
  const config = existing === undefined ? await newConfig(options) : changedConfig(existing, options);
  if (config.runtime === "simulated") {
    const why = containersImpossible();
    if (why !== undefined) progress.warn(`containers are simulated here (${why})`);
    else if (options.runtime === undefined) {
      progress.warn(
        `containers of cluster "${options.name}" are simulated, as it was made so; for real ones make it anew: skiff delete, then skiff up`,
      );
    }
  }
  if (config !== existing) writeClusterConfig(paths, config);
  return config;
}

async function newConfig(options: UpOptions): Promise<ClusterConfig> {
  const port = options.port ?? (await freePort());
  const used = clusterNames().map((name) => readClusterConfig(clusterPaths(name))?.index);
  let index = 0;
  while (used.includes(index)) index++;
  return {
    version: 1,
    name: options.name,
    nodes: nodeNames(options.name, options.nodes ?? 1),
    ...runtimeFor(options.runtime),
    apiPort: port,
    podCidr: POD_CIDR,
    serviceCidr: SERVICE_CIDR,
    clusterDns: CLUSTER_DNS,
    index,
  };
}

/** An existing cluster keeps what it was made with; asking for something else says so instead of ignoring it. */
function changedConfig(existing: ClusterConfig, options: UpOptions): ClusterConfig {
  if (options.nodes !== undefined && options.nodes !== existing.nodes.length) {
    throw new UserError(
      `there is already a cluster "${options.name}", and it has ${existing.nodes.length} node(s), not ${options.nodes}; choose another name with --name, or run skiff delete --name ${options.name} first`,
    );
  }
  if (options.runtime !== undefined && runtimeFor(options.runtime).runtime !== existing.runtime) {
    throw new UserError(
      `there is already a cluster "${options.name}", and its runtime is ${existing.runtime}; choose another name with --name, or run skiff delete --name ${options.name} first`,
    );
  }
  const running = readProcessRecord(clusterPaths(options.name).controlPlaneProcess) !== undefined;
  if (options.port === undefined || options.port === existing.apiPort) return existing;
  if (running)
    throw new UserError(
      `cluster "${options.name}" runs on port ${existing.apiPort}; run skiff down first to change it`,
    );
  return { ...existing, apiPort: options.port };
}

/** @throws UserError when the machine cannot do what was asked for. */
function runtimeFor(asked: string | undefined): { runtime: RuntimeName; ociRuntime?: string } {
  const impossible = containersImpossible();
  const installed = ["crun", "runc"].find((name) => findProgram(name) !== undefined);
  switch (asked) {
    case undefined:
      return impossible === undefined ? { runtime: "oci", ociRuntime: installed } : { runtime: "simulated" };
    case "simulated":
      return { runtime: "simulated" };
    case "oci":
    case "crun":
    case "runc":
      if (impossible !== undefined) throw new UserError(`real containers are not possible here: ${impossible}`);
      if (asked !== "oci" && findProgram(asked) === undefined)
        throw new UserError(`${asked} is not installed; run: apt-get install -y ${asked}`);
      return { runtime: "oci", ociRuntime: asked === "oci" ? installed : asked };
    default:
      throw new UserError(`there is no runtime "${asked}"; there are: oci, crun, runc, simulated`);
  }
}

const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });

async function freePort(): Promise<number> {
  const taken = clusterNames().map((name) => readClusterConfig(clusterPaths(name))?.apiPort);
  for (let port = API_PORT_FIRST; port < API_PORT_FIRST + API_PORTS_TRIED_MAX; port++) {
    if (!taken.includes(port) && (await isPortFree(port))) return port;
  }
  throw new UserError(
    `no port from ${API_PORT_FIRST} to ${API_PORT_FIRST + API_PORTS_TRIED_MAX - 1} is free; choose one with --port`,
  );
}

/** With `--wait 0` at least the API must answer. */
const SERVING_WITHIN_SECONDS = 60;

/** What the control-plane process says on its descriptor 3, one JSON line each. */
export type StartMessage =
  | { readonly type: "step"; readonly title: string; readonly durationMs: number }
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "serving" }
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string };

async function startControlPlane(config: ClusterConfig, waitSeconds: number, progress: Progress): Promise<void> {
  const paths = clusterPaths(config.name);
  for (const directory of [paths.run, paths.logs]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = join(paths.logs, "control-plane.log");
  const logFile = openSync(log, "a", 0o600);
  // In a session of its own, so that Ctrl-C in this terminal does not reach it.
  const child = spawn(process.execPath, [...skiffArguments(), "control-plane", "--name", config.name], {
    detached: true,
    stdio: ["ignore", logFile, logFile, "pipe"],
    cwd: "/",
  });
  closeSync(logFile);
  // It writes the same when it runs. Until then Ctrl-C and a second `skiff up` must find it too.
  if (child.pid !== undefined) writeProcessRecord(paths.controlPlaneProcess, child.pid);
  const messages = createInterface({ input: child.stdio[3] as Readable });
  const goal = waitSeconds === 0 ? "serving" : "ready";
  let deadline: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const limitSeconds = waitSeconds === 0 ? SERVING_WITHIN_SECONDS : waitSeconds;
      deadline = setTimeout(() => reject(notReady(config.name, limitSeconds)), limitSeconds * 1000);
      child.once("exit", (code, signal) =>
        reject(new UserError(`the control plane ended (${signal ?? `exit code ${code}`}): ${lastLine(log)}`)),
      );
      messages.on("line", (line) => {
        const message = JSON.parse(line) as StartMessage;
        if (message.type === "step") progress.done(message.title, message.durationMs);
        else if (message.type === "warning") progress.warn(message.text);
        else if (message.type === "failed") reject(new UserError(message.message));
        else if (message.type === goal) resolve();
      });
    });
  } finally {
    clearTimeout(deadline);
    messages.close();
    (child.stdio[3] as Readable).destroy();
    child.unref();
  }
}

const LOOK_AGAIN_MS = 50;

/** Another `skiff up` may be starting the cluster at this moment. */
async function untilReady({ name, wait, signal }: UpOptions): Promise<void> {
  const { summarise } = await import("./status.ts");
  const { controlPlaneProcess } = clusterPaths(name);
  const deadlineMs = realClock.monotonic() + wait * 1000;
  while (realClock.monotonic() < deadlineMs) {
    if (readProcessRecord(controlPlaneProcess) === undefined) break;
    const nodes = await summarise(name).then(
      (summary) => summary.nodes,
      () => [],
    );
    if (nodes.length > 0 && nodes.every(({ ready }) => ready)) return;
    await realClock.sleep(LOOK_AGAIN_MS, signal);
  }
  throw notReady(name, wait);
}

const notReady = (name: string, seconds: number) =>
  new UserError(`cluster "${name}" was not Ready within ${seconds} s; see: skiff logs --name ${name}`);

function lastLine(path: string): string {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  // What Node prints of an error that nobody caught has the error somewhere in the middle.
  return lines.findLast((line) => /^(\{"|\w*Error\b)/.test(line)) ?? lines.at(-1) ?? "it said nothing";
}
