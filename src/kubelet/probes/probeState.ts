/**
 * One probe of one container as a step function: what has been found so far, and what each new finding makes of it.
 * Source: kubelet prober/worker.go doProbe.
 *
 * Worked history, failureThreshold 3: found F F S F F F gives Failure only at the last.
 */

import type { Probe } from "../../api/generated/core-v1.ts";
import type { ProbeVerdict } from "../podLifecycle/podActions.ts";

export type ProbeType = "startup" | "liveness" | "readiness";

/** Source: apis/core/v1/defaults.go SetDefaults_Probe. */
export const PROBE_DEFAULTS = {
  initialDelayMs: 0,
  periodMs: 10_000,
  timeoutMs: 1000,
  successThreshold: 1,
  failureThreshold: 3,
} as const;

export interface ProbeTiming {
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

const ms = (seconds: number | undefined, otherwise: number): number =>
  seconds === undefined || seconds === 0 ? otherwise : seconds * 1000;

export const probeTiming = (probe: Probe): ProbeTiming => ({
  initialDelayMs: ms(probe.initialDelaySeconds, PROBE_DEFAULTS.initialDelayMs),
  periodMs: ms(probe.periodSeconds, PROBE_DEFAULTS.periodMs),
  timeoutMs: ms(probe.timeoutSeconds, PROBE_DEFAULTS.timeoutMs),
  successThreshold: probe.successThreshold ?? PROBE_DEFAULTS.successThreshold,
  failureThreshold: probe.failureThreshold ?? PROBE_DEFAULTS.failureThreshold,
});

export interface ProbeState {
  /** What counts, as others see it. */
  readonly verdict: ProbeVerdict;
  readonly lastFound: "Success" | "Failure" | undefined;
  /** How often that has been found in a row. */
  readonly runLength: number;
  /** No more probing until the container is replaced. */
  readonly isOnHold: boolean;
}

/** Until something is found a container lives, but is neither ready nor started. Source: prober/worker.go newWorker. */
export const initialProbeState = (type: ProbeType): ProbeState => ({
  verdict: type === "liveness" ? "Success" : type === "readiness" ? "Failure" : "Unknown",
  lastFound: undefined,
  runLength: 0,
  isOnHold: false,
});

export function nextProbeState(
  type: ProbeType,
  { successThreshold, failureThreshold }: ProbeTiming,
  state: ProbeState,
  found: "Success" | "Failure",
): ProbeState {
  const runLength = state.lastFound === found ? state.runLength + 1 : 1;
  const threshold = found === "Success" ? successThreshold : failureThreshold;
  if (runLength < threshold) return { ...state, lastFound: found, runLength };
  // A container that will be killed is not probed on; one that has started needs no startup probe.
  const isOnHold = type === "startup" || (type === "liveness" && found === "Failure");
  return { verdict: found, lastFound: found, runLength, isOnHold };
}
