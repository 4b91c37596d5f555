import { CompactedError, type Entry, FutureRevisionError, type StorageEvent } from "./storage.ts";

/** Revision of a storage that has never been written to. Source: etcd. */
export const INITIAL_REVISION = 1;

/** Bounds of the window of past events; the older part goes when either is passed, as if it had been compacted. */
export const HISTORY_EVENTS_MAX = 10_000;
/** Counts superseded values only: those that nothing but the history keeps. */
export const HISTORY_BYTES_MAX = 32 * 2 ** 20;

/** What is left of the bounds after a trim, so that trimming is rare and its cost is spread. */
const TRIM_TO = 0.9;

/** What the key was before the event. */
export const stateBefore = (event: StorageEvent): Entry | undefined =>
  event.type === "put" ? event.previous : event.entry;

/** What the key is after the event. */
export const stateAfter = (event: StorageEvent): Entry | undefined => (event.type === "put" ? event.entry : undefined);

const supersededBytes = (event: StorageEvent): number => stateBefore(event)?.value.byteLength ?? 0;

/**
 * The newest events, one per revision without gaps, from which past states are read and watches start. A past state is
 * the present with later events undone, so keeping history costs the present nothing.
 *
 * Worked history: put a=1 (revision 2), put a=2 (3), delete a (4). At 3: the first event after it is the deletion,
 * whose earlier state is a=2.
 */
export class History {
  #revision: number;
  #compactedRevision: number;
  /** The first event that is kept has the revision after this one. */
  #baseRevision: number;
  #events: StorageEvent[] = [];
  #bytes = 0;

  constructor(compactedRevision: number) {
    this.#compactedRevision = compactedRevision;
    this.#baseRevision = Math.max(INITIAL_REVISION, compactedRevision);
    this.#revision = this.#baseRevision;
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  append(event: StorageEvent): void {
    if (event.revision !== this.#revision + 1) throw new Error(`revision ${event.revision} is out of order`);
    this.#revision = event.revision;
    this.#events.push(event);
    this.#bytes += supersededBytes(event);
  }

  /** The events after `revision`, which must not lie before the compacted one, in order. */
  after(revision: number): StorageEvent[] {
    return this.#events.slice(Math.max(0, revision - this.#baseRevision));
  }

  /** For each key that has changed since `revision`: what it was then. */
  statesAt(revision: number): Map<string, Entry | undefined> {
    const states = new Map<string, Entry | undefined>();
    for (const event of this.after(revision)) {
      if (!states.has(event.entry.key)) states.set(event.entry.key, stateBefore(event));
    }
    return states;
  }

  /** @throws CompactedError, FutureRevisionError */
  assertReadable(revision: number): void {
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (this.isCompacted(revision)) throw new CompactedError(revision, this.#compactedRevision);
  }

  /** Zero is the beginning, and there as long as nothing has been compacted. */
  isCompacted(revision: number): boolean {
    return this.#compactedRevision > 0 && revision <= this.#compactedRevision;
  }

  /** Drops the events up to and including `revision`. @returns them. */
  compact(revision: number): StorageEvent[] {
    const dropped = this.#events.splice(0, Math.max(0, revision - this.#baseRevision));
    for (const event of dropped) this.#bytes -= supersededBytes(event);
    this.#compactedRevision = revision;
    this.#baseRevision += dropped.length;
    return dropped;
  }

  /** Keeps the window within its bounds, and at least the newest event. @returns what it dropped. */
  trim(): StorageEvent[] {
    if (this.#events.length <= HISTORY_EVENTS_MAX && this.#bytes <= HISTORY_BYTES_MAX) return [];
    let count = 0;
    let bytes = this.#bytes;
    while (
      count < this.#events.length - 1 &&
      (this.#events.length - count > HISTORY_EVENTS_MAX * TRIM_TO || bytes > HISTORY_BYTES_MAX * TRIM_TO)
    ) {
      bytes -= supersededBytes(this.#events[count++] as StorageEvent);
    }
    return this.compact(this.#baseRevision + count);
  }
}
