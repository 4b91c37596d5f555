/** grpc.health.v1.Health/Check over one HTTP/2 connection. Source: pkg/probe/grpc, grpc health/v1/health.proto. */
import { connect as http2Connect } from "node:http2";
import type { Duplex } from "node:stream";
import type { Clock } from "../../lib/env.ts";
import type { ProbeOutcome } from "./probeOutcome.ts";
import { withTimeout } from "./withTimeout.ts";

const SERVING = 1;
const GRPC_UNIMPLEMENTED = "12";

/** HealthCheckRequest { service = 1 } in a gRPC frame: not compressed, length, message. */
function requestFrame(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** HealthCheckResponse { status = 1 }. */
const statusOf = (frame: Buffer): number => (frame[5] === 0x08 ? (frame[6] ?? 0) : 0);

interface Answer {
  readonly grpcStatus: string;
  readonly grpcMessage: string;
  readonly status: number;
}

function check(socket: Duplex, authority: string, service: string, signal: AbortSignal): Promise<Answer> {
  const session = http2Connect(`http://${authority}`, { createConnection: () => socket });
  return new Promise<Answer>((resolve, reject) => {
    session.on("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "kube-probe/1.36",
    });
    const chunks: Buffer[] = [];
    let ends: Record<string, unknown> = {};
    stream.on("response", (headers) => {
      ends = headers;
    });
    stream.on("trailers", (trailers) => {
      ends = trailers;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      const { "grpc-status": grpcStatus, "grpc-message": grpcMessage } = ends;
      resolve({
        grpcStatus: `${grpcStatus ?? ""}`,
        grpcMessage: `${grpcMessage ?? ""}`,
        status: statusOf(Buffer.concat(chunks)),
      });
    });
    stream.end(requestFrame(service));
  }).finally(() => session.destroy());
}

export async function grpcProbe(
  clock: Clock,
  connect: (signal: AbortSignal) => Promise<Duplex>,
  {
    service,
    timeoutMs,
    authority,
  }: { readonly service: string; readonly timeoutMs: number; readonly authority: string },
): Promise<ProbeOutcome> {
  const slow = `timeout: failed to connect service "${authority}" within ${timeoutMs / 1000}s: context deadline exceeded`;
  try {
    const answer = await withTimeout(
      clock,
      timeoutMs,
      async (signal) => check(await connect(signal), authority, service, signal),
      slow,
    );
    if (answer.grpcStatus === GRPC_UNIMPLEMENTED) {
      return {
        verdict: "Failure",
        message: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${answer.grpcMessage}`,
      };
    }
    if (answer.grpcStatus !== "0")
      return { verdict: "Failure", message: `error: health rpc probe failed: ${answer.grpcMessage}` };
    if (answer.status === SERVING) return { verdict: "Success", message: "service healthy" };
    return {
      verdict: "Failure",
      message: `service unhealthy (responded with "${answer.status === 2 ? "NOT_SERVING" : "UNKNOWN"}")`,
    };
  } catch (error) {
    return { verdict: "Failure", message: error instanceof Error ? error.message : String(error) };
  }
}
