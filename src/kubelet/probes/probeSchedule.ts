/** When a container that has just started is probed. */
import type { ProbeTiming, ProbeType } from "./probeState.ts";

/**
 * Early looks after a start, in ms: most programs are up long before the first period is over, and a rollout waits for
 * each of them. A success counts; a failure does not, and is not told, so that no probe fails sooner than upstream's
 * would. Upstream does the like: it triggers a readiness probe each time it makes the status of an unready pod (source:
 * prober_manager.go UpdatePodStatus, manualTriggerCh).
 */
const EARLY_LOOKS_MS = [50, 150, 350, 750, 1500, 3000, 6000];
/** A process each, so fewer. */
const EARLY_EXEC_LOOKS_MS = [250, 1000, 3000];

export interface ProbeSchedule {
  /** Since the container's start, ascending. */
  readonly earlyMs: readonly number[];
  /** The first look that counts; from then on one each period. */
  readonly firstMs: number;
}

/**
 * Upstream's ticker begins with the pod, just before the container, so that the first tick which finds it running is one
 * period later, or the first one after the initial delay. Source: prober/worker.go run, doProbe.
 */
export function probeSchedule(type: ProbeType, timing: ProbeTiming, isExec: boolean): ProbeSchedule {
  const { initialDelayMs, periodMs } = timing;
  const firstMs = Math.max(1, Math.ceil(initialDelayMs / periodMs)) * periodMs;
  const looks = isExec ? EARLY_EXEC_LOOKS_MS : EARLY_LOOKS_MS;
  const earlyMs = type === "liveness" ? [] : looks.map((ms) => initialDelayMs + ms).filter((ms) => ms < firstMs);
  return { earlyMs, firstMs };
}

/** How long until the next look, and whether it counts; `ageMs` since the container's start. */
export function nextLook(
  { earlyMs, firstMs }: ProbeSchedule,
  { periodMs }: ProbeTiming,
  ageMs: number,
  isSuccess: boolean,
): { readonly delayMs: number; readonly counts: boolean } {
  const early = isSuccess ? undefined : earlyMs.find((ms) => ms > ageMs);
  if (early !== undefined) return { delayMs: early - ageMs, counts: false };
  if (ageMs < firstMs) return { delayMs: firstMs - ageMs, counts: true };
  const periods = Math.floor((ageMs - firstMs) / periodMs) + 1;
  return { delayMs: firstMs + periods * periodMs - ageMs, counts: true };
}
