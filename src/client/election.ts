/** Who leads, decided by a Lease: the state machine. Source: client-go tools/leaderelection. */
import type { Lease } from "../api/generated/coordination-v1.ts";

export interface ElectionTimes {
  /** How long others wait after the last renewal that they saw. */
  readonly leaseDurationMs: number;
  /** A leader that could not renew for this long gives up. */
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** Source: component-base config v1alpha1, RecommendedDefaultLeaderElectionConfiguration. */
export const LEASE_TIMES: ElectionTimes = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
/** Spreads the candidates. Source: leaderelection.go, JitterFactor. */
const ACQUIRE_JITTER = 1.2;
/** A lease given up runs out after this. Source: leaderelection.go, release. */
const RELEASED_DURATION_SECONDS = 1;

export interface Election {
  readonly phase: "standing" | "leading" | "releasing" | "over";
  readonly identity: string;
  readonly times: ElectionTimes;
  readonly observed: Lease | undefined;
  /** When `observed` last changed, on our own clock: clocks of other machines are not trusted. */
  readonly observedAtMs: number;
  /** When the leader last renewed. */
  readonly renewedAtMs: number;
  /** `observed` has been read for the present attempt. */
  readonly isFresh: boolean;
}

export type ElectionEvent =
  | { readonly type: "woken" }
  | { readonly type: "read"; readonly lease: Lease | undefined }
  | { readonly type: "written"; readonly lease: Lease }
  | { readonly type: "failed" }
  | { readonly type: "stopped" };

export interface Claim {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly leaseTransitions: number;
  readonly acquireMs: number;
  readonly renewMs: number;
}

export type ElectionEffect =
  | { readonly do: "read" }
  | { readonly do: "write"; readonly lease: Lease | undefined; readonly spec: Claim }
  | { readonly do: "wait"; readonly delayMs: number; readonly jitter: number }
  | { readonly do: "end" };

export interface ElectionNow {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

export const initialElection = (identity: string, times: ElectionTimes): Election => ({
  phase: "standing",
  identity,
  times,
  observed: undefined,
  observedAtMs: 0,
  renewedAtMs: 0,
  isFresh: false,
});

/** One effect follows from each event; what comes of it is the next event. */
export function step(
  state: Election,
  event: ElectionEvent,
  now: ElectionNow,
): { readonly state: Election; readonly effect: ElectionEffect } {
  switch (event.type) {
    case "woken":
      // A leader writes without reading: only it may have changed the lease.
      return state.phase === "leading" ? claim(state, state.observed, now) : { state, effect: { do: "read" } };
    case "read":
      return afterRead(observe(state, event.lease, now), now);
    case "written":
      return afterWrite(observe(state, event.lease, now), now);
    case "failed":
      return afterFailure(state, now);
    case "stopped":
      return afterStop(state, now);
    default:
      return event satisfies never;
  }
}

function observe(state: Election, lease: Lease | undefined, { monotonicMs }: ElectionNow): Election {
  const isSame = lease?.metadata.resourceVersion === state.observed?.metadata.resourceVersion;
  return isSame ? state : { ...state, observed: lease, observedAtMs: monotonicMs };
}

function afterRead(state: Election, now: ElectionNow) {
  const { observed, identity, times, observedAtMs } = state;
  const holder = observed?.spec.holderIdentity ?? "";
  const durationMs = (observed?.spec.leaseDurationSeconds ?? times.leaseDurationMs / 1000) * 1000;
  const isHeldByAnother = holder !== "" && holder !== identity && observedAtMs + durationMs > now.monotonicMs;
  if (!isHeldByAnother) return claim(state, observed, now);
  if (state.phase === "leading") return { state: { ...state, phase: "over" as const }, effect: { do: "end" as const } };
  return { state, effect: standAgain(state) };
}

function afterWrite(state: Election, { monotonicMs }: ElectionNow) {
  if (state.phase === "releasing")
    return { state: { ...state, phase: "over" as const }, effect: { do: "end" as const } };
  const effect = { do: "wait" as const, delayMs: state.times.retryPeriodMs, jitter: 0 };
  const leading = { ...state, phase: "leading" as const, renewedAtMs: monotonicMs, isFresh: false };
  return { state: leading, effect };
}

function afterFailure(state: Election, { monotonicMs }: ElectionNow) {
  const end = { state: { ...state, phase: "over" as const }, effect: { do: "end" as const } };
  if (state.phase === "releasing") return end;
  if (state.phase !== "leading") return { state, effect: standAgain(state) };
  if (monotonicMs - state.renewedAtMs >= state.times.renewDeadlineMs) return end;
  // Our copy may be out of date: it is read once before waiting.
  if (!state.isFresh) return { state: { ...state, isFresh: true }, effect: { do: "read" as const } };
  const delayed = { do: "wait" as const, delayMs: state.times.retryPeriodMs, jitter: 0 };
  return { state: { ...state, isFresh: false }, effect: delayed };
}

function afterStop(state: Election, now: ElectionNow) {
  if (state.phase !== "leading") return { state: { ...state, phase: "over" as const }, effect: { do: "end" as const } };
  const { state: same, effect } = claim(state, state.observed, now);
  const spec = { ...effect.spec, holderIdentity: "", leaseDurationSeconds: RELEASED_DURATION_SECONDS };
  return { state: { ...same, phase: "releasing" as const }, effect: { ...effect, spec } };
}

function claim(state: Election, lease: Lease | undefined, { nowMs }: ElectionNow) {
  const isMine = lease?.spec.holderIdentity === state.identity;
  const transitions = lease?.spec.leaseTransitions ?? 0;
  const acquiredMs = lease?.spec.acquireTime === undefined ? nowMs : Date.parse(lease.spec.acquireTime);
  const spec: Claim = {
    holderIdentity: state.identity,
    leaseDurationSeconds: state.times.leaseDurationMs / 1000,
    leaseTransitions: isMine || lease === undefined ? transitions : transitions + 1,
    acquireMs: isMine ? acquiredMs : nowMs,
    renewMs: nowMs,
  };
  return { state, effect: { do: "write" as const, lease, spec } };
}

const standAgain = ({ times }: Election) => ({
  do: "wait" as const,
  delayMs: times.retryPeriodMs,
  jitter: ACQUIRE_JITTER,
});
