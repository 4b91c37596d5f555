/** postStart and preStop. Source: kubelet lifecycle/handlers.go. */
import type { Container, LifecycleHandler, Pod } from "../api/generated/core-v1.ts";
import type { KubeletContext } from "./context.ts";
import { formatPod } from "./podLifecycle/runtimePod.ts";
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

async function httpHook(context: HookContext, { container, podIps }: HookTarget, handler: LifecycleHandler) {
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
  if (verdict === "Failure") throw new Error(message);
}

/** A command that ended with an error, and all that it said. */
class CommandFailure extends Error {
  readonly output: string;
  constructor(message: string, output: string) {
    super(message);
    this.output = output;
  }
}

async function execHook({ runtime }: HookContext, containerId: string, command: readonly string[], timeoutMs: number) {
  const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, timeoutMs);
  if (exitCode === 0) return;
  const said = Buffer.from(stderr).toString("utf8");
  const output = Buffer.concat([stdout, stderr]).toString("utf8");
  throw new CommandFailure(`command '${command.join(" ")}' exited with ${exitCode}: ${said}`, output);
}

/** "Exec lifecycle hook ([sh -c exit 1]) for Container …". Source: lifecycle/handlers.go. */
function failure(error: unknown, { pod, container }: HookTarget, handler: LifecycleHandler): Error {
  const { exec, httpGet, sleep } = handler;
  const what =
    exec !== undefined
      ? `Exec lifecycle hook ([${(exec.command ?? []).join(" ")}])`
      : httpGet !== undefined
        ? `HTTP lifecycle hook (${httpGet.path ?? ""})`
        : `Sleep lifecycle hook (${sleep?.seconds})`;
  const where = `for Container ${JSON.stringify(container.name)} in Pod ${JSON.stringify(formatPod(pod))}`;
  const why = error instanceof Error ? error.message : String(error);
  const output = error instanceof CommandFailure ? error.output : "";
  const message = exec === undefined ? "" : `, message: ${JSON.stringify(output)}`;
  return new Error(`${what} ${where} failed - error: ${why}${message}`, { cause: error });
}

/** @throws Error when the hook failed. */
export async function runHook(
  context: HookContext,
  target: HookTarget,
  handler: LifecycleHandler,
  timeoutMs: number = HOOK_TIMEOUT_MAX_MS,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await run(context, target, handler, timeoutMs, signal);
  } catch (error) {
    throw failure(error, target, handler);
  }
}

async function run(
  context: HookContext,
  target: HookTarget,
  handler: LifecycleHandler,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (handler.exec !== undefined) return execHook(context, target.containerId, handler.exec.command ?? [], timeoutMs);
  if (handler.httpGet !== undefined) return httpHook(context, target, handler);
  if (handler.sleep !== undefined) return context.env.clock.sleep(handler.sleep.seconds * 1000, signal);
  if (handler.tcpSocket !== undefined) {
    const port = resolvePort(handler.tcpSocket.port, target.container);
    const socket = await context.dial(handler.tcpSocket.host ?? target.podIps[0] ?? "", port, signal);
    socket.destroy();
  }
}
