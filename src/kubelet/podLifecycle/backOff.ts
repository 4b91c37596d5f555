/**
 * Waiting before something is tried again: crashed containers and failed image pulls.
 *
 * Worked history of a container that lives for 1 s: it ends at 1 s (no entry: started at once, entry 10 s), ends at 2 s
 * (waits till 12 s, entry 20 s), ends at 13 s (waits till 33 s, entry 40 s), and so on up to 300 s.
 * Source: client-go util/flowcontrol/backoff.go.
 */
export interface BackOffEntry {
  readonly delayMs: number;
  readonly updatedAtMs: number;
}

/** Source: kubelet.go initialCrashLoopBackOff and initialImageBackOff. */
export const BACK_OFF_INITIAL_MS = 10_000;
/** Source: kubelet.go MaxCrashLoopBackOff and MaxImageBackOff. */
export const BACK_OFF_MAX_MS = 300_000;

/** What went well for twice the longest delay starts anew. Source: backoff.go hasExpired. */
const hasExpired = (entry: BackOffEntry, eventAtMs: number): boolean =>
  eventAtMs - entry.updatedAtMs > 2 * BACK_OFF_MAX_MS;

/** When it may be tried again, after what happened at `eventAtMs`; undefined: now. */
export function backOffUntil(entry: BackOffEntry | undefined, eventAtMs: number, nowMs: number): number | undefined {
  if (entry === undefined || hasExpired(entry, eventAtMs)) return undefined;
  const untilMs = eventAtMs + entry.delayMs;
  return nowMs < untilMs ? untilMs : undefined;
}

/** The entry after it is tried once more at `nowMs`. */
export function nextBackOff(entry: BackOffEntry | undefined, eventAtMs: number, nowMs: number): BackOffEntry {
  if (entry === undefined || hasExpired(entry, eventAtMs)) {
    return { delayMs: BACK_OFF_INITIAL_MS, updatedAtMs: nowMs };
  }
  return { delayMs: Math.min(entry.delayMs * 2, BACK_OFF_MAX_MS), updatedAtMs: nowMs };
}

/** "10s", "1m20s", "5m0s", as Go prints a duration of whole seconds. */
export function goDuration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`;
  const seconds = ms / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
