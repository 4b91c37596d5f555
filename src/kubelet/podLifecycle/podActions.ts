/** What is decided for a pod, and by what of its probes. */

export type ProbeVerdict = "Success" | "Failure" | "Unknown";

/** Latest result of a container's probe; undefined: it has none yet. */
export interface ProbeVerdicts {
  startup(containerId: string): ProbeVerdict | undefined;
  liveness(containerId: string): ProbeVerdict | undefined;
  readiness(containerId: string): ProbeVerdict | undefined;
}

export interface ContainerKill {
  readonly containerId: string;
  readonly name: string;
  /** For the Killing event; "" gives the usual one. */
  readonly message: string;
  readonly reason: "Unknown" | "StartupProbe" | "LivenessProbe" | "Changed";
}

export interface PodActions {
  /** End all containers and the sandbox; with `createSandbox`, to begin anew. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  readonly sandboxId: string | undefined;
  readonly attempt: number;
  readonly kill: readonly ContainerKill[];
  /** Names, in the order of starting. */
  readonly startEphemeral: readonly string[];
  readonly startInit: readonly string[];
  readonly start: readonly string[];
}
