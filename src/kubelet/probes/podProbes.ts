/** The probes of one pod: which run, and what they found last. */

import type { Pod } from "../../api/generated/core-v1.ts";
import type { ProbeVerdicts } from "../podLifecycle/podActions.ts";
import type { RuntimePod } from "../podLifecycle/runtimePod.ts";

export interface PodProbes extends ProbeVerdicts {
  /** Starts and stops probing as containers come and go. */
  update(pod: Pod, runtimePod: RuntimePod): void;
  /** The pod is being ended: nothing that fails now may kill or restart. Readiness goes on. */
  stopLivenessAndStartup(): void;
  stop(): void;
}
