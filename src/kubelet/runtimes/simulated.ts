/**
 * A runtime without containers: what pods do is scripted by annotations (see simulated/behaviour.ts) and by code, and
 * happens on the injected clock. Thousands of pods are cheap: a container is an object, and has a timer only where it
 * does something by itself.
 *
 * Nothing of it outlives the process, and nothing runs on another thread.
 */
import type { Duplex } from "node:stream";
import type { Env } from "../../lib/env.ts";
import type { Dial } from "../dial.ts";
import type { Files } from "../files.ts";
import {
  type ContainerConfig,
  type ContainerStatus,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
  type SandboxStatus,
} from "../runtime.ts";
import { ANNOTATION_DOMAIN, type BehaviourHook, behaviourOf } from "./simulated/behaviour.ts";
import { httpAnswer, simulatedExec } from "./simulated/connections.ts";
import { SimulatedContainer } from "./simulated/container.ts";
import { simulatedImages } from "./simulated/images.ts";
import { simulatedTerminal } from "./simulated/terminal.ts";

export type { Behaviour, BehaviourHook } from "./simulated/behaviour.ts";

export interface SimulatedRuntimeOptions {
  readonly env: Env;
  readonly files: Files;
  /** Addresses of this node's pods, such as "10.244.3.0/24"; handed out in turn. */
  readonly podCidr: string;
  /** Of pods on the node's network. */
  readonly hostIp?: string;
  /** Goes before the annotations. */
  readonly behaviour?: BehaviourHook;
  readonly isImageMissing?: (name: string) => boolean;
}

/** What tests and programs can do to a running simulation, beside what the kubelet does. */
export interface SimulatedRuntime extends Runtime {
  /** Ends a container as if its process had ended. */
  exitContainer(id: string, exitCode: number, reason?: string): void;
  /** Writes into its log. */
  writeLog(id: string, lines: readonly string[]): Promise<void>;
  /** A connection to a pod by its address. */
  dialAddress: Dial;
}

interface Sandbox {
  status: SandboxStatus;
  readonly config: SandboxConfig;
}

/** "10.244.3.0/24" → the addresses .2 to .254, in turn. */
function addresses(podCidr: string): () => string {
  const [base = "10.244.0.0", bits = "24"] = podCidr.split("/");
  const start = base.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const count = 2 ** (32 - Number(bits)) - 3;
  let next = 0;
  return () => {
    const address = start + 2 + (next++ % count);
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
  };
}

export function createSimulatedRuntime(options: SimulatedRuntimeOptions): SimulatedRuntime {
  const { env, files } = options;
  const sandboxes = new Map<string, Sandbox>();
  const containers = new Map<string, SimulatedContainer>();
  const listeners = new Set<(event: RuntimeEvent) => void>();
  const nextAddress = addresses(options.podCidr);
  let ids = 0;

  const newId = () => (++ids).toString(16).padStart(12, "0") + env.random.uuid().replaceAll("-", "");
  const emit = (type: RuntimeEvent["type"], { status }: SimulatedContainer) => {
    for (const listener of listeners) listener({ type, containerId: status.id, sandboxId: status.sandboxId });
  };
  const sandboxOf = (id: string): Sandbox => {
    const sandbox = sandboxes.get(id);
    if (sandbox === undefined) throw new RuntimeError("NotFound", `sandbox "${id}" not found`);
    return sandbox;
  };
  const containerOf = (id: string): SimulatedContainer => {
    const container = containers.get(id);
    if (container === undefined) throw new RuntimeError("NotFound", `container "${id}" not found`);
    return container;
  };
  const containersIn = (sandboxId: string) =>
    [...containers.values()].filter(({ config }) => config.sandboxId === sandboxId);
  const running = (id: string): SimulatedContainer => {
    const container = containerOf(id);
    if (container.status.state !== "Running")
      throw new RuntimeError("ContainerNotRunning", `container ${id} is not running`);
    return container;
  };

  const create = (config: ContainerConfig): string => {
    const { config: sandbox, status } = sandboxOf(config.sandboxId);
    const id = newId();
    const scripted = behaviourOf(sandbox.annotations, config.name);
    const { annotations, labels } = sandbox;
    const coded = options.behaviour?.({ pod: status.pod, annotations, labels, config });
    const behaviour = { ...scripted, ...coded };
    const onExit = (container: SimulatedContainer) => emit("container-exited", container);
    containers.set(id, new SimulatedContainer({ id, config, behaviour, env, files, onExit }));
    return id;
  };

  const dial = async (sandboxId: string): Promise<Duplex> => {
    const { status } = sandboxOf(sandboxId);
    const all = containersIn(sandboxId);
    if (!all.some((container) => container.status.state === "Running"))
      throw Object.assign(new RuntimeError("", "connection refused"), { code: "ECONNREFUSED" });
    const isHealthy = () => all.filter(({ status: { state } }) => state === "Running").every((one) => one.isHealthy);
    return httpAnswer(isHealthy, status.pod.name);
  };

  return {
    name: "simulated",
    version: "1.0.0",
    images: simulatedImages((name) => options.isImageMissing?.(name) === true),

    async runSandbox(config) {
      const { pod, attempt, labels, annotations } = config;
      if (annotations[`${ANNOTATION_DOMAIN}/sandbox-error`] !== undefined) {
        throw new RuntimeError("SandboxFailed", annotations[`${ANNOTATION_DOMAIN}/sandbox-error`] as string);
      }
      const ips = config.hostNetwork ? [] : [nextAddress()];
      const id = newId();
      const createdAtMs = env.clock.now();
      const status: SandboxStatus = { id, pod, attempt, state: "Ready", createdAtMs, ips, labels, annotations };
      sandboxes.set(id, { status, config });
      return status;
    },
    async stopSandbox(id) {
      const sandbox = sandboxes.get(id);
      if (sandbox === undefined) return;
      for (const container of containersIn(id)) container.kill();
      sandbox.status = { ...sandbox.status, state: "NotReady" };
    },
    async removeSandbox(id) {
      for (const container of containersIn(id)) {
        container.kill();
        containers.delete(container.status.id);
      }
      sandboxes.delete(id);
    },

    createContainer: async (config) => create(config),
    async startContainer(id) {
      const container = containerOf(id);
      await container.start();
      if (container.status.state === "Running") emit("container-started", container);
    },
    stopContainer: async (id, graceMs) => containers.get(id)?.stop(graceMs),
    async removeContainer(id) {
      containers.get(id)?.kill();
      containers.delete(id);
    },

    listSandboxes: async () => [...sandboxes.values()].map(({ status }) => status),
    listContainers: async () => [...containers.values()].map(({ status }) => status),
    containerStatus: async (id): Promise<ContainerStatus | undefined> => containers.get(id)?.status,
    stats: async () =>
      [...containers.values()]
        .filter(({ status }) => status.state === "Running")
        .map(({ status, cpuUsageNs, behaviour }) => ({
          containerId: status.id,
          name: status.name,
          sandboxId: status.sandboxId,
          atMs: env.clock.now(),
          cpuUsageNs,
          memoryUsageBytes: behaviour.memoryBytes,
          memoryWorkingSetBytes: behaviour.memoryBytes,
          pids: 1,
        })),

    reopenLog: async (id) => files.append(containerOf(id).config.logPath, ""),
    execSync: async (id, command) => {
      const container = running(id);
      return simulatedExec(container, sandboxOf(container.config.sandboxId).config.hostname, command);
    },
    exec: async (request) => {
      const container = running(request.containerId);
      return simulatedTerminal(container, sandboxOf(container.config.sandboxId).config.hostname, request);
    },
    async attach({ containerId, stdout, signal }) {
      const container = running(containerId);
      const stop = container.onLog((text) => stdout?.write(text));
      const aborted = new Promise<void>((resolve) =>
        signal?.addEventListener("abort", () => resolve(), { once: true }),
      );
      await Promise.race([container.ended(), aborted]);
      stop();
      stdout?.end();
    },
    dial,
    async dialAddress(host) {
      const found = [...sandboxes.values()].find(({ status }) => status.state === "Ready" && status.ips.includes(host));
      if (found === undefined) throw Object.assign(new Error("no such pod"), { code: "EHOSTUNREACH" });
      return dial(found.status.id);
    },
    updateResources: async () => undefined,

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },

    exitContainer: (id, exitCode, reason) => containerOf(id).kill(exitCode, reason),
    writeLog: (id, lines) => containerOf(id).write(lines),
  };
}
