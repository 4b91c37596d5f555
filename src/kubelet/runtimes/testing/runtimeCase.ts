/** A case that every runtime must pass. */
import type { Runtime } from "../../runtime.ts";

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
