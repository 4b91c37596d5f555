/**
 * The outside world as a value: time, randomness and the log. Everything that acts is handed an `Env`; nothing else
 * reads a clock or draws a number, which is what makes virtual time and seeded replays possible.
 */

/** A pending timer; `cancel` after it has fired does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time in milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonic(): number;
  /** Calls `run` once, after `delayMs`. Does not keep the process alive. */
  setTimer(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when `signal` aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  /** A version-4 UUID. */
  uuid(): string;
  /** `length` letters and digits of the alphabet that Kubernetes' generated names use. */
  suffix(length: number): string;
  bytes(length: number): Uint8Array;
}

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line carries `fields` too. */
  child(fields: LogFields): Log;
}

export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
