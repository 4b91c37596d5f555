import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerConfig, ContainerStatus, Runtime, RuntimeEvent, SandboxConfig } from "../../runtime.ts";
import type { SuiteContext } from "./runtimeCase.ts";

let serial = 0;

export function sandboxConfig(changes: Partial<SandboxConfig> = {}): SandboxConfig {
  const name = `pod-${++serial}`;
  return {
    pod: { uid: `uid-${process.pid}-${serial}`, name, namespace: "default" },
    attempt: 0,
    hostname: name,
    dns: { servers: ["10.96.0.10"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] },
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    shareProcessNamespace: false,
    sysctls: {},
    resources: {},
    qosClass: "BestEffort",
    labels: { app: name },
    annotations: {},
    hostPorts: [],
    ...changes,
  };
}

/** A container that sleeps until it is told to end, unless the changes say otherwise. */
export async function containerConfig(
  context: SuiteContext,
  sandboxId: string,
  changes: Partial<ContainerConfig> = {},
): Promise<ContainerConfig> {
  const image = await context.runtime.images.status(context.image);
  return {
    sandboxId,
    name: "main",
    attempt: 0,
    imageId: image?.id ?? "",
    imageName: context.image,
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"],
    args: [],
    env: [],
    mounts: [],
    logPath: join(context.directory, "log"),
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: {},
    security: {
      privileged: false,
      readOnlyRootFilesystem: false,
      supplementalGroups: [],
      addCapabilities: [],
      dropCapabilities: [],
      allowPrivilegeEscalation: true,
    },
    labels: { container: "main" },
    annotations: { note: "kept" },
    ...changes,
  };
}

export const script = (text: string) => ({ command: ["sh", "-c", text] });

/** A pod with one started container. */
export async function startPod(
  context: SuiteContext,
  changes: Partial<ContainerConfig> = {},
  sandbox: Partial<SandboxConfig> = {},
): Promise<{ sandboxId: string; containerId: string }> {
  const { runtime } = context;
  const { id: sandboxId } = await runtime.runSandbox(sandboxConfig(sandbox));
  const containerId = await runtime.createContainer(await containerConfig(context, sandboxId, changes));
  await runtime.startContainer(containerId);
  return { sandboxId, containerId };
}

/** Waits for the end of a container, by events as the kubelet does. */
export function exited(runtime: Runtime, containerId: string): Promise<ContainerStatus> {
  return new Promise((resolve, reject) => {
    const look = async () => {
      const status = await runtime.containerStatus(containerId);
      if (status?.state !== "Exited") return;
      stop();
      resolve(status);
    };
    const stop = runtime.subscribe((event: RuntimeEvent) => {
      if (event.type === "container-exited" && event.containerId === containerId) look().catch(reject);
    });
    look().catch(reject);
  });
}

/** Runs a script in a container of its own to its end. */
export async function runScript(
  context: SuiteContext,
  text: string,
  changes: Partial<ContainerConfig> = {},
  sandbox: Partial<SandboxConfig> = {},
): Promise<{ status: ContainerStatus; output: string; sandboxId: string }> {
  const { sandboxId, containerId } = await startPod(context, { ...script(text), ...changes }, sandbox);
  const status = await exited(context.runtime, containerId);
  return { status, output: outputOf(join(context.directory, "log")), sandboxId };
}

export interface LogLine {
  readonly time: string;
  readonly stream: string;
  readonly tag: string;
  readonly text: string;
}

/** Source: CRI log format, "TIME STREAM TAG TEXT". */
export function readLog(path: string): readonly LogLine[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [, time = "", stream = "", tag = "", text = ""] = /^(\S+) (stdout|stderr) ([FP]) (.*)$/.exec(line) ?? [];
    return { time, stream, tag, text };
  });
}

export const outputOf = (path: string, stream = "stdout"): string =>
  readLog(path)
    .filter((line) => line.stream === stream)
    .map(({ tag, text }) => (tag === "F" ? `${text}\n` : text))
    .join("");
