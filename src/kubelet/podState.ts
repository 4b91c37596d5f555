/** What one pod's worker remembers between two looks. */
import type { Pod, PodStatus } from "../api/generated/core-v1.ts";
import type { BackOffEntry } from "./podLifecycle/backOff.ts";
import type { StartFailure } from "./podLifecycle/containerStatuses.ts";
import type { PodVerdict } from "./podLifecycle/podStatus.ts";
import type { PodProbes } from "./probes/podProbes.ts";

export interface PodState {
  /** Its newest form. */
  pod: Pod;
  /** For a static pod: its image in the API, which carries the status. */
  mirror: Pod | undefined;
  readonly isStatic: boolean;
  /** The status last made. */
  status: PodStatus | undefined;
  verdict: PodVerdict | undefined;
  /** All containers are done and none will be started again. */
  hasEnded: boolean;
  /** Why a container could not be started, by its name. */
  readonly startFailures: Map<string, StartFailure>;
  /** Last words, by container id. */
  readonly terminationMessages: Map<string, string>;
  /** By container name and image. */
  readonly backOffs: Map<string, BackOffEntry>;
  /** When a BackOff event was last told, by container name: they come with every look otherwise. */
  readonly backOffToldAtMs: Map<string, number>;
  /** Ids of containers that count as not yet started, because their postStart hook has not ended. */
  readonly inPostStart: Set<string>;
  readonly probes: PodProbes;
  /** Failures in a row of setting up volumes or the sandbox. */
  failures: number;
}

export const newPodState = (pod: Pod, isStatic: boolean, probes: PodProbes): PodState => ({
  pod,
  mirror: undefined,
  isStatic,
  status: undefined,
  verdict: undefined,
  hasEnded: false,
  startFailures: new Map(),
  terminationMessages: new Map(),
  backOffs: new Map(),
  backOffToldAtMs: new Map(),
  inPostStart: new Set(),
  probes,
  failures: 0,
});
