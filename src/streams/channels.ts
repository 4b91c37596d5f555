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

/** An error says what went wrong in doing what: "error attaching to container: …". */
export type RemoteCommandOutcome = { readonly exitCode: number } | { readonly error: string };

interface Outcome {
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly [field: string]: unknown;
}

/** The `Status` on the error channel. Source: k8s.io/streaming remotecommand, v4WriteStatusFunc and NonZeroExitCode. */
export function outcomeStatus(outcome: RemoteCommandOutcome): Outcome {
  if ("error" in outcome) {
    const message = `Internal error occurred: ${outcome.error}`;
    return { metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 };
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

/**
 * What goes out on the error channel at the end: from v4 a `Status`; before, the message of a failure and nothing else.
 * Source: as above, v1WriteStatusFunc.
 */
export function finalStatus(outcome: RemoteCommandOutcome, version: number): string {
  const status = outcomeStatus(outcome);
  return version >= 4 ? JSON.stringify(status) : (status.message ?? "");
}

/** What still comes is dropped: unread it would keep the peer's farewell from being heard. */
export function forgetInput(stdin: Readable | undefined): void {
  stdin?.unpipe();
  stdin?.resume();
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
