/**
 * What exec and attach carry, whatever the framing: the streams that the client asked for, terminal sizes, and one
 * final status.
 */
import type { Readable, Writable } from "node:stream";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Which streams the client wants, from the query of the request. */
export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface RemoteCommandStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly resizes: AsyncIterable<TerminalSize>;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** Sends the outcome after all output and closes. */
  finish(outcome: RemoteCommandOutcome): Promise<void>;
}

export type RemoteCommandOutcome = { readonly exitCode: number } | { readonly error: string };

/** The `Status` on the error channel. Source: k8s.io/streaming remotecommand, v4WriteStatusFunc and NonZeroExitCode. */
export function outcomeStatus(outcome: RemoteCommandOutcome): object {
  if ("error" in outcome) {
    return { metadata: {}, status: "Failure", message: outcome.error, reason: "InternalError", code: 500 };
  }
  if (outcome.exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${outcome.exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: `${outcome.exitCode}` }] },
  };
}

/** Parses what arrives on the resize channel, `{"Width":80,"Height":24}`; undefined for anything else. */
export function parseResize(data: Buffer): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(data.toString("utf8"));
    return Number.isInteger(Width) && Number.isInteger(Height) ? { columns: Width, rows: Height } : undefined;
  } catch {
    return undefined;
  }
}
