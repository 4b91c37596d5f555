/**
 * What every runtime must do, as a table of cases. Cases `for: "every"` run against each; those `for: "programs"` need
 * one that runs real programs, from an image with a shell and the usual small tools of busybox.
 */
import type { Runtime } from "../runtime.ts";
import { lifecycleCases } from "./testing/lifecycleCases.ts";
import { processCases } from "./testing/processCases.ts";
import { streamCases } from "./testing/streamCases.ts";

export interface SuiteContext {
  readonly runtime: Runtime;
  /** Empty, and gone after the case; for logs. */
  readonly directory: string;
  /** Name of an image that is there. */
  readonly image: string;
  /** Closes the runtime and opens another on the same state, as a restarted kubelet does. */
  reopen(): Promise<Runtime>;
}

export interface RuntimeCase {
  readonly name: string;
  readonly for: "every" | "programs";
  run(context: SuiteContext): Promise<void>;
}

export const runtimeSuite: readonly RuntimeCase[] = [...lifecycleCases, ...processCases, ...streamCases];
