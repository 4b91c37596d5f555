/**
 * Built-in images: components of ours that run inside the node process as the kubelet runs any container, with logs,
 * restarts and probes. A wrapper around another runtime, which makes the sandboxes and runs everything else.
 *
 * Invariants:
 * - A built-in container ends with the process. What was running then is remembered on disk, and reported as ended by
 *   the next process, so that the kubelet starts it anew as the next attempt.
 * - No program runs in it beside the component, so exec says what an OCI runtime says of an image without a shell.
 * Deliberately absent: usage. It cannot be told apart from the rest of the process, and is not made up.
 */

import { mkdirSync } from "node:fs";
import type { Env } from "../../lib/env.ts";
import { type ImageStatus, type Runtime, RuntimeError, type RuntimeEvent } from "../runtime.ts";
import { BuiltinContainers } from "./builtin/containers.ts";
import { builtinImage } from "./builtin/images.ts";
import type { BuiltinProgram } from "./builtin/program.ts";

export interface BuiltinRuntimeOptions {
  readonly env: Env;
  readonly inner: Runtime;
  /** By the image's name, in any spelling. */
  readonly programs: ReadonlyMap<string, BuiltinProgram>;
  /** Where it is remembered which containers there are. */
  readonly stateDirectory: string;
}

export function createBuiltinRuntime(options: BuiltinRuntimeOptions): Runtime {
  const { env, inner } = options;
  mkdirSync(options.stateDirectory, { recursive: true });
  const listeners = new Set<(event: RuntimeEvent) => void>();
  const images = [...options.programs].map(([name, program]) => ({ ...builtinImage(name), program }));
  const imageOf = (name: string) => images.find((image) => image.matches(name));
  const containers = new BuiltinContainers({
    env,
    directory: options.stateDirectory,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
  });
  const sandboxGone = (id: string) =>
    Promise.all(containers.ofSandbox(id).map((containerId) => containers.remove(containerId)));
  const notHere = (containerId: string, command: readonly string[]) => {
    containers.running(containerId);
    const message = `executable file \`${command[0] ?? ""}\` not found in $PATH: No such file or directory`;
    return new RuntimeError("ExecError", message, { exitCode: 128 });
  };

  return {
    ...inner,
    images: {
      status: async (name) => imageOf(name)?.status ?? inner.images.status(name),
      list: async () => [...images.map(({ status }) => status), ...(await inner.images.list())],
      pull: async (name, credentials): Promise<ImageStatus> =>
        imageOf(name)?.status ?? inner.images.pull(name, credentials),
      remove: async (id) => (imageOf(id) === undefined ? inner.images.remove(id) : undefined),
    },
    async stopSandbox(id) {
      await Promise.all(containers.ofSandbox(id).map((containerId) => containers.stop(containerId, 0)));
      await inner.stopSandbox(id);
    },
    async removeSandbox(id) {
      await sandboxGone(id);
      await inner.removeSandbox(id);
    },
    async createContainer(config) {
      const image = imageOf(config.imageId);
      if (image === undefined) return inner.createContainer(config);
      const isKnown = (await inner.listSandboxes()).some(({ id }) => id === config.sandboxId);
      if (!isKnown) throw new RuntimeError("NotFound", `sandbox ${JSON.stringify(config.sandboxId)} does not exist`);
      return containers.create(config, image.program);
    },
    startContainer: async (id) => (containers.has(id) ? containers.start(id) : inner.startContainer(id)),
    stopContainer: (id, graceMs) =>
      containers.has(id) ? containers.stop(id, graceMs) : inner.stopContainer(id, graceMs),
    removeContainer: (id) => (containers.has(id) ? containers.remove(id) : inner.removeContainer(id)),
    listContainers: async () => [...containers.list(), ...(await inner.listContainers())],
    containerStatus: async (id) => (containers.has(id) ? containers.status(id) : inner.containerStatus(id)),
    reopenLog: async (id) => (containers.has(id) ? containers.reopenLog(id) : inner.reopenLog(id)),
    async execSync(id, command, timeoutMs) {
      if (containers.has(id)) throw notHere(id, command);
      return inner.execSync(id, command, timeoutMs);
    },
    async exec(request) {
      if (containers.has(request.containerId)) throw notHere(request.containerId, request.command);
      return inner.exec(request);
    },
    async attach(request) {
      if (!containers.has(request.containerId)) return inner.attach(request);
      await containers.attach(request.containerId, request.stdout, request.signal);
    },
    async updateResources(id, resources) {
      if (!containers.has(id)) await inner.updateResources(id, resources);
    },
    subscribe(listener) {
      listeners.add(listener);
      const stopInner = inner.subscribe(listener);
      return () => {
        listeners.delete(listener);
        stopInner();
      };
    },
    async close() {
      await containers.close();
      await inner.close();
    },
  };
}
