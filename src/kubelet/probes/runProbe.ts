/** One look at a container, by whatever its probe says. Source: kubelet prober/prober.go. */
import type { Container, Pod, Probe } from "../../api/generated/core-v1.ts";
import type { Env } from "../../lib/env.ts";
import type { Dial } from "../dial.ts";
import { type Runtime, RuntimeError } from "../runtime.ts";
import { grpcProbe } from "./grpcProbe.ts";
import { httpProbe } from "./httpProbe.ts";
import type { ProbeOutcome } from "./probeOutcome.ts";
import { probeTiming } from "./probeState.ts";
import { resolvePort } from "./resolvePort.ts";
import { withTimeout } from "./withTimeout.ts";

export interface ProbeTarget {
  readonly env: Env;
  readonly runtime: Pick<Runtime, "execSync">;
  readonly dial: Dial;
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A command that cannot be run says nothing of the container. Source: pkg/probe/exec. */
async function execProbe(
  { runtime, containerId }: ProbeTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProbeOutcome> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, timeoutMs);
    const message = Buffer.concat([stdout, stderr]).toString("utf8");
    return { verdict: exitCode === 0 ? "Success" : "Failure", message };
  } catch (error) {
    const isSlow = error instanceof RuntimeError && error.reason === "DeadlineExceeded";
    return { verdict: isSlow ? "Failure" : "Unknown", message: textOf(error) };
  }
}

async function tcpProbe(
  { env, dial }: ProbeTarget,
  host: string,
  port: number,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  try {
    const text = `dial tcp ${host}:${port}: i/o timeout`;
    const socket = await withTimeout(env.clock, timeoutMs, (signal) => dial(host, port, signal), text);
    socket.on("error", () => undefined);
    socket.destroy();
    return { verdict: "Success", message: "" };
  } catch (error) {
    return { verdict: "Failure", message: textOf(error) };
  }
}

function run(target: ProbeTarget, probe: Probe): Promise<ProbeOutcome> {
  const { timeoutMs } = probeTiming(probe);
  const { env, dial, container, podIp } = target;
  if (probe.exec !== undefined) return execProbe(target, probe.exec.command ?? [], timeoutMs);
  if (probe.httpGet !== undefined) {
    const { host, port, path = "/", scheme, httpHeaders = [] } = probe.httpGet;
    const to = host !== undefined && host !== "" ? host : podIp;
    const number = resolvePort(port, container);
    return httpProbe(env.clock, (at, signal) => dial(to, at, signal), {
      scheme: scheme === "HTTPS" ? "HTTPS" : "HTTP",
      host: to,
      port: number,
      path,
      headers: httpHeaders,
      timeoutMs,
    });
  }
  if (probe.tcpSocket !== undefined) {
    const { host, port } = probe.tcpSocket;
    return tcpProbe(target, host !== undefined && host !== "" ? host : podIp, resolvePort(port, container), timeoutMs);
  }
  if (probe.grpc !== undefined) {
    const { port, service = "" } = probe.grpc;
    return grpcProbe(env.clock, (signal) => dial(podIp, port, signal), {
      service,
      timeoutMs,
      authority: `${podIp}:${port}`,
    });
  }
  return Promise.resolve({ verdict: "Success", message: "" });
}

/** Never rejects: what cannot be probed fails. */
export async function runProbe(target: ProbeTarget, probe: Probe): Promise<ProbeOutcome> {
  try {
    return await run(target, probe);
  } catch (error) {
    return { verdict: "Failure", message: textOf(error) };
  }
}
