/**
 * Real containers: conmon and an OCI runtime (crun or runc) run them, this keeps the books. To be used inside the node's
 * namespaces.
 *
 * Invariants:
 * - Everything that is needed to take over is on disk before it is needed: `open` finds every sandbox and container of a
 *   process before it, with their ids, and the exits that happened meanwhile with their codes and times.
 * - No process stays for a pod but conmon, one per container, in a session of its own.
 * - What is mounted or pinned lies below the run directory, in the node's mount namespace.
 * Deliberately absent: seccomp, AppArmor and SELinux profiles, user namespaces, checkpoints.
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, watch } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Env, Timer } from "../../../lib/env.ts";
import { pullImage } from "../../images/pull.ts";
import type { ImageStore } from "../../images/store.ts";
import { detectCgroups } from "../../nodeEnvironment/detectCgroups.ts";
import type { NodeEnvironment } from "../../nodeEnvironment/nodeEnvironment.ts";
import { adoptOrphans } from "../../nodeEnvironment/systemCalls.ts";
import type { PodNetwork } from "../../podNetwork.ts";
import type { Images, Runtime, RuntimeEvent } from "../../runtime.ts";
import { joinStreams } from "./attach.ts";
import { parseCapabilityMask } from "./capabilities.ts";
import { Containers } from "./containers.ts";
import { bundleOf, exitDirectory, layersLink, type OciContext, runtimeRoot, socketsDirectory } from "./context.ts";
import { dialIn } from "./dial.ts";
import { execOnPipes, execSync } from "./exec.ts";
import { collectOrphans } from "./orphans.ts";
import { Sandboxes } from "./sandboxes.ts";
import { bindSocketIn } from "./sandboxNamespaces.ts";
import { execOnTerminal } from "./terminal.ts";

export interface OciRuntimeOptions {
  readonly env: Env;
  readonly environment: NodeEnvironment;
  readonly store: ImageStore;
  readonly network: PodNetwork;
  /** Full path of crun or runc. */
  readonly ociRuntime: string;
  /** Full path of conmon. */
  readonly conmon: string;
}

/** A runtime whose sandboxes are namespaces of this machine. */
export interface OciRuntime extends Runtime {
  /** A socket in the pod's network for a component in this process. @throws Error when it cannot be bound. */
  bindSocket(
    sandboxId: string,
    options: { readonly protocol: "tcp" | "udp"; readonly address: string; readonly port: number },
  ): number;
}

/** Opens the runtime of a node, and takes over what runs there. */
export async function openOciRuntime(options: OciRuntimeOptions): Promise<OciRuntime> {
  const { env, environment, store } = options;
  const status = readFileSync("/proc/self/status", "utf8");
  const capabilities = parseCapabilityMask(/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? "0");
  const canLower = capabilities.has("CAP_SYS_RESOURCE");
  const oomScoreAdjMin = canLower ? -1000 : Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
  const cgroups = detectCgroups(env.clock);
  const context: OciContext = { ...options, cgroups, capabilities, oomScoreAdjMin };
  mkdirSync(runtimeRoot(context), { recursive: true });
  mkdirSync(socketsDirectory(context), { recursive: true });
  mkdirSync(environment.dataDirectory, { recursive: true });
  linkLayers(context, store.layersDirectory);
  const listeners = new Set<(event: RuntimeEvent) => void>();
  const sandboxes = new Sandboxes(context);
  const containers = new Containers(context, sandboxes, (event) => {
    for (const listener of listeners) listener(event);
  });
  adoptOrphans();
  await sandboxes.adopt();
  const stopWatching = watchExits(context, containers);
  await containers.adopt();
  const version = await versionOf(options.ociRuntime);
  return assemble({ context, sandboxes, containers, listeners, version, stopWatching });
}

function linkLayers(context: OciContext, target: string): void {
  const link = layersLink(context);
  rmSync(`${link}.new`, { force: true });
  symlinkSync(target, `${link}.new`);
  renameSync(`${link}.new`, link);
}

async function versionOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ["--version"]);
  return /version\s+(\S+)/.exec(stdout)?.[1] ?? "unknown";
}

/** Many that end together are collected together: each time all children are looked at. */
const COLLECT_DELAY_MS = 20;

/** conmon writes the exit file under another name and renames it, so its appearance means that it is complete. */
function watchExits(context: OciContext, containers: Containers): () => void {
  let collecting: Timer | undefined;
  const collectSoon = () => {
    collecting ??= context.env.clock.setTimer(COLLECT_DELAY_MS, () => {
      collecting = undefined;
      collectOrphans();
    });
  };
  const watcher = watch(exitDirectory(context), (_, name) => {
    if (name !== null) containers.check(name);
    collectSoon();
  });
  let timer: Timer;
  const again = () => {
    containers.checkAll();
    collectOrphans();
    timer = context.env.clock.setTimer(containers.checkPeriodMs, again);
  };
  timer = context.env.clock.setTimer(containers.checkPeriodMs, again);
  return () => {
    watcher.close();
    timer.cancel();
    collecting?.cancel();
  };
}

/** With host network a pod is where this process is. */
const OWN_NETWORK = "/proc/self/ns/net";

interface Parts {
  readonly context: OciContext;
  readonly sandboxes: Sandboxes;
  readonly containers: Containers;
  readonly listeners: Set<(event: RuntimeEvent) => void>;
  readonly version: string;
  readonly stopWatching: () => void;
}

function assemble({ context, sandboxes, containers, listeners, version, stopWatching }: Parts): OciRuntime {
  const bundle = (id: string) => bundleOf(context, id);
  return {
    name: basename(context.ociRuntime),
    version,
    images: imagesOf(context.store, context.env),
    runSandbox: (config) => sandboxes.run(config),
    async stopSandbox(id) {
      await Promise.all(containers.ofSandbox(id).map((container) => containers.stop(container.id, 0)));
      await sandboxes.stop(id);
    },
    async removeSandbox(id) {
      await Promise.all(containers.ofSandbox(id).map((container) => containers.remove(container.id)));
      await sandboxes.remove(id);
    },
    createContainer: (config) => containers.create(config),
    startContainer: (id) => containers.start(id),
    stopContainer: (id, graceMs) => containers.stop(id, graceMs),
    removeContainer: (id) => containers.remove(id),
    listSandboxes: async () => sandboxes.list(),
    listContainers: async () => containers.list(),
    containerStatus: async (id) => containers.status(id),
    stats: async () => containers.stats(),
    reopenLog: async (id) => containers.reopenLog(id),
    execSync: async (id, command, timeoutMs) => execSync(context, containers.running(id), command, timeoutMs),
    async exec(request) {
      const record = containers.running(request.containerId);
      return request.tty ? execOnTerminal(context, record, request) : execOnPipes(context, record, request);
    },
    async attach(request) {
      const { id } = containers.running(request.containerId);
      await joinStreams(bundle(id), request);
    },
    dial: async (sandboxId, port) => dialIn(sandboxes.networkNamespace(sandboxId), port),
    bindSocket: (sandboxId, socket) => bindSocketIn(sandboxes.networkNamespace(sandboxId) ?? OWN_NETWORK, socket),
    async updateResources(id, resources) {
      context.cgroups.setLimits(containers.running(id).cgroupPath, resources);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      stopWatching();
      listeners.clear();
    },
  };
}

function imagesOf(store: ImageStore, env: Env): Images {
  return {
    status: async (name) => store.status(name),
    list: async () => store.list(),
    pull: (name, credentials) => pullImage({ store, name, credentials, env }),
    remove: (id) => store.remove(id),
  };
}
