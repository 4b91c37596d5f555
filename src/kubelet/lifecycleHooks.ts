/** postStart and preStop. Source: kubelet lifecycle/handlers.go. */
import type { Container, LifecycleHandler, Pod } from "../api/generated/core-v1.ts";
import type { KubeletContext } from "./context.ts";
import { httpProbe } from "./probes/httpProbe.ts";
import { resolvePort } from "./probes/resolvePort.ts";

export interface HookTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIps: readonly string[];
}

/** Longest that a hook without a grace period may take. Ours: postStart has no limit upstream, the pod's life has. */
const HOOK_TIMEOUT_MAX_MS = 3_600_000;
/** Source: lifecycle/handlers.go, the client's timeout. */
const HTTP_HOOK_TIMEOUT_MS = 30_000;

type HookContext = Pick<KubeletContext, "runtime" | "env" | "dial">;

async function httpHook(context: HookContext, { pod, container, podIps }: HookTarget, handler: LifecycleHandler) {
  const action = handler.httpGet;
  if (action === undefined) return;
  const host = action.host !== undefined && action.host !== "" ? action.host : (podIps[0] ?? "");
  const port = resolvePort(action.port, container);
  const connect = (at: number, signal: AbortSignal) => context.dial(host, at, signal);
  const { verdict, message } = await httpProbe(context.env.clock, connect, {
    scheme: action.scheme === "HTTPS" ? "HTTPS" : "HTTP",
    host,
    port,
    path: action.path ?? "/",
    headers: action.httpHeaders ?? [],
    timeoutMs: HTTP_HOOK_TIMEOUT_MS,
    userAgent: "kube-lifecycle/1.36",
  });
  if (verdict === "Failure") throw new Error(`${message} (pod ${pod.metadata.name})`);
}

/** @throws Error when the hook failed. */
export async function runHook(
  context: HookContext,
  target: HookTarget,
  handler: LifecycleHandler,
  timeoutMs: number = HOOK_TIMEOUT_MAX_MS,
  signal?: AbortSignal,
): Promise<void> {
  if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    const result = await context.runtime.execSync(target.containerId, command, timeoutMs);
    if (result.exitCode === 0) return;
    const output = Buffer.concat([result.stdout, result.stderr]).toString("utf8");
    throw new Error(`command '${command.join(" ")}' exited with ${result.exitCode}: ${output}`);
  }
  if (handler.httpGet !== undefined) return httpHook(context, target, handler);
  if (handler.sleep !== undefined) return context.env.clock.sleep(handler.sleep.seconds * 1000, signal);
  if (handler.tcpSocket !== undefined) {
    const port = resolvePort(handler.tcpSocket.port, target.container);
    const socket = await context.dial(handler.tcpSocket.host ?? target.podIps[0] ?? "", port, signal);
    socket.destroy();
  }
}
