/** A component that runs as a container inside this process. */
import type { Writable } from "node:stream";
import type { ContainerConfig } from "../../runtime.ts";

/** What a component is told and given. */
export interface BuiltinContext {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Lines written here are the container's log. */
  readonly log: Writable;
  /** Aborted when the container is to end. */
  readonly signal: AbortSignal;
  readonly containerId: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
}

/** Runs until it is done or told to end. @returns the exit code; what it throws is logged, and is exit code 1. */
export type BuiltinProgram = (context: BuiltinContext) => Promise<number>;
