/**
 * Keeps events from flooding the cluster: the same event is counted, not repeated; many similar ones become one; and
 * who says too much about one object is not heard. Source: client-go tools/record events_cache.go.
 */
import type { ObjectReference } from "../api/generated/core-v1.ts";

/** Objects that are remembered; the one not used for longest is forgotten. Source: maxLruCacheEntries. */
const REMEMBERED_MAX = 4096;
/** Not used for this long, it is forgotten too: its events have expired. Source: kube-apiserver --event-ttl. */
const REMEMBERED_MS = 3_600_000;
/** From so many similar events on, within the interval, they are combined. Source: defaultAggregateMaxEvents. */
const SIMILAR_MAX = 10;
/** Source: defaultAggregateIntervalInSeconds. */
const SIMILAR_INTERVAL_MS = 600_000;
/** Events about one object in a row. Source: defaultSpamBurst. */
const SPAM_BURST = 25;
/** One more every five minutes. Source: defaultSpamQPS. */
const SPAM_REFILL_PER_MS = 1 / 300_000;

export interface Occurrence {
  readonly involved: ObjectReference;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** How an earlier event of this kind is known to the API. */
export interface RecordedEvent {
  readonly name: string;
  readonly namespace: string;
  readonly count: number;
  readonly firstTimestamp: string;
}

export interface Correlation {
  /** Under this, `remember` keeps what became of it. */
  readonly key: string;
  readonly message: string;
}

export class EventCorrelator {
  readonly #similar = new RecentMap<{ messages: Set<string>; lastMs: number }>(REMEMBERED_MAX);
  readonly #recorded = new RecentMap<RecordedEvent>(REMEMBERED_MAX);
  readonly #buckets = new RecentMap<{ tokens: number; lastMs: number }>(REMEMBERED_MAX);

  /** @returns undefined where the event is to be dropped. */
  correlate(occurrence: Occurrence, nowMs: number): Correlation | undefined {
    const combined = this.#combine(occurrence, nowMs);
    return this.#takeToken(objectPart(occurrence.involved), nowMs) ? combined : undefined;
  }

  /** The event that stands for this key, if one has been written. */
  recorded(key: string, nowMs: number): RecordedEvent | undefined {
    return this.#recorded.get(key, nowMs);
  }

  remember(key: string, event: RecordedEvent, nowMs: number): void {
    this.#recorded.set(key, event, nowMs);
  }

  #combine(occurrence: Occurrence, nowMs: number): Correlation {
    const { involved, type, reason, message } = occurrence;
    const similarKey = [objectPart(involved), type, reason].join("\n");
    let record = this.#similar.get(similarKey, nowMs);
    if (record === undefined || nowMs - record.lastMs > SIMILAR_INTERVAL_MS) {
      record = { messages: new Set(), lastMs: nowMs };
    }
    record.lastMs = nowMs;
    record.messages.add(message);
    this.#similar.set(similarKey, record, nowMs);
    if (record.messages.size < SIMILAR_MAX) {
      return { key: [similarKey, involved.fieldPath ?? "", message].join("\n"), message };
    }
    // One is let go, so that the set stays at its bound.
    for (const oldest of record.messages) {
      record.messages.delete(oldest);
      break;
    }
    return { key: similarKey, message: `(combined from similar events): ${message}` };
  }

  #takeToken(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key, nowMs) ?? { tokens: SPAM_BURST, lastMs: nowMs };
    const tokens = Math.min(SPAM_BURST, bucket.tokens + (nowMs - bucket.lastMs) * SPAM_REFILL_PER_MS);
    const isAllowed = tokens >= 1;
    this.#buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, lastMs: nowMs }, nowMs);
    return isAllowed;
  }
}

const objectPart = ({ kind, namespace, name, uid, apiVersion }: ObjectReference): string =>
  [kind, namespace, name, uid, apiVersion].join("\n");

/** Forgets what has not been used for longest, and what has not been used for long. */
class RecentMap<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly usedMs: number }>();
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(key: string, nowMs: number): V | undefined {
    const value = this.#entries.get(key)?.value;
    if (value !== undefined) this.set(key, value, nowMs);
    return value;
  }

  set(key: string, value: V, nowMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, usedMs: nowMs });
    // In the order of their use.
    for (const [oldest, { usedMs }] of this.#entries) {
      if (this.#entries.size <= this.#sizeMax && nowMs - usedMs <= REMEMBERED_MS) return;
      this.#entries.delete(oldest);
    }
  }
}
