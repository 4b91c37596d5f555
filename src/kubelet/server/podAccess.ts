/** Logs, exec, attach and port-forward of this node's pods. Source: kubelet kubelet_pods.go, server.go. */
import type { Duplex } from "node:stream";
import type { ContainerStatus, Pod } from "../../api/generated/core-v1.ts";
import { ApiError, notFound } from "../../machinery/errors.ts";
import type { KubeletContext } from "../context.ts";
import { dialFailure } from "../dial.ts";
import type { PodWorker } from "../podWorker.ts";
import type { PodWorkers } from "../podWorkers.ts";
import type { ExecRequest } from "../runtime.ts";
import { type LogOptions, readLog } from "./readLog.ts";

export interface PodTarget {
  readonly namespace: string;
  readonly name: string;
}

export interface ContainerTarget extends PodTarget {
  readonly container: string;
}

export interface LogRequest extends ContainerTarget, LogOptions {
  readonly previous?: boolean;
  readonly signal?: AbortSignal;
}

export type AttachRequest = ContainerTarget & Omit<ExecRequest, "containerId" | "command">;
export type PodExecRequest = ContainerTarget & Omit<ExecRequest, "containerId">;

export interface PodAccess {
  /** @throws ApiError NotFound, BadRequest, in upstream's words, before the first byte */
  logs(request: LogRequest): Promise<AsyncIterable<Uint8Array>>;
  /** @throws ApiError NotFound, before a connection is upgraded, when there is nothing to exec or attach to */
  requireRunning(target: ContainerTarget, purpose: "exec" | "attach"): void;
  /** Resolves with the exit code. @throws ApiError, RuntimeError */
  exec(request: PodExecRequest): Promise<number>;
  attach(request: AttachRequest): Promise<void>;
  /** A connection to a port inside the pod. */
  portForward(target: PodTarget, port: number): Promise<Duplex>;
}

/** Source: kubelet_pods.go validateContainerLogStatus. */
const WAITING_WORDS: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: "trying and failing to pull image",
};

const badRequest = (message: string): ApiError => new ApiError("BadRequest", message);

/** Which attempt's log is meant. */
function loggedContainerId(pod: Pod, status: ContainerStatus, previous: boolean): string {
  const { name, state, lastState, containerID } = status;
  const last = lastState?.terminated?.containerID;
  const where = `container "${name}" in pod "${pod.metadata.name}"`;
  if (previous) {
    if (last !== undefined) return last;
    throw badRequest(`previous terminated ${where} not found`);
  }
  if (state?.running !== undefined && containerID !== undefined) return containerID;
  const ended = state?.terminated?.containerID ?? last;
  if (ended !== undefined) return ended;
  if (state?.terminated !== undefined) throw badRequest(`${where} is terminated`);
  const reason = state?.waiting?.reason;
  if (reason === undefined || reason === "") throw badRequest(`${where} is not available`);
  throw badRequest(`${where} is waiting to start: ${WAITING_WORDS[reason] ?? reason}`);
}

export function createPodAccess(context: KubeletContext, workers: PodWorkers): PodAccess {
  const { runtime, cache, env, files } = context;

  const workerOf = ({ namespace, name }: PodTarget): PodWorker => {
    const found = workers.list().filter(({ state: { pod }, isGone }) => {
      const { metadata } = pod;
      return metadata.name === name && metadata.namespace === namespace && !isGone;
    });
    // Of two of one name the older one is on its way out.
    const worker = found.find(({ state: { pod } }) => pod.metadata.deletionTimestamp === undefined) ?? found.at(-1);
    if (worker === undefined) throw notFound({ group: "", resource: "pods" }, name);
    return worker;
  };

  const statusOf = ({ state }: PodWorker, container: string): ContainerStatus | undefined => {
    const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = state.status ?? {};
    const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
    return all.find(({ name }) => name === container);
  };

  const runningId = (target: ContainerTarget, purpose: "exec" | "attach"): string => {
    const running = workerOf(target).runtimePod.containers.find(
      ({ name, state }) => name === target.container && state === "Running",
    );
    if (running !== undefined) return running.id;
    const { container, name, namespace } = target;
    if (purpose === "exec") throw new ApiError("NotFound", `container not found ("${container}")`);
    throw new ApiError("NotFound", `container ${container} not found in pod ${name}_${namespace}`);
  };

  return {
    async logs(request) {
      const worker = workerOf(request);
      const { pod } = worker.state;
      const status = statusOf(worker, request.container);
      if (status === undefined) {
        throw badRequest(`container "${request.container}" in pod "${pod.metadata.name}" is not available`);
      }
      const id = loggedContainerId(pod, status, request.previous === true).replace(/^[^:]*:\/\//, "");
      const container = worker.runtimePod.containers.find((candidate) => candidate.id === id);
      if (container === undefined) throw new ApiError("NotFound", `unable to retrieve container logs for ${id}`);
      const isOver = () => {
        const now = cache.pod(worker.uid)?.containers.find((candidate) => candidate.id === id);
        return now === undefined || now.state === "Exited";
      };
      const source = {
        clock: env.clock,
        files,
        path: container.logPath,
        isOver,
        // The cache hears of the end a moment after the event.
        onChange: (changed: () => void) =>
          runtime.subscribe(async ({ containerId, sandboxId }) => {
            if (containerId !== id) return;
            await cache.refresh(containerId, sandboxId);
            changed();
          }),
        ...(request.signal !== undefined && { signal: request.signal }),
      };
      return readLog(source, request);
    },
    requireRunning: (target, purpose) => void runningId(target, purpose),
    exec: async (request) => runtime.exec({ ...request, containerId: runningId(request, "exec") }),
    attach: async (request) => runtime.attach({ ...request, containerId: runningId(request, "attach") }),
    async portForward(target, port) {
      const worker = workerOf(target);
      if (worker.state.pod.spec.hostNetwork === true) return context.dial("127.0.0.1", port);
      const sandbox = worker.runtimePod.sandboxes[0];
      if (sandbox?.state !== "Ready")
        throw new Error(`sandbox of pod ${target.namespace}/${target.name} is not running`);
      return runtime.dial(sandbox.id, port).catch((cause: unknown) => {
        // Source: containerd internal/cri/server/sandbox_portforward_linux.go.
        const why = dialFailure("127.0.0.1", port, cause);
        throw new Error(`failed to connect to localhost:${port} inside namespace "${sandbox.id}", IPv4: ${why}`, {
          cause,
        });
      });
    },
  };
}
