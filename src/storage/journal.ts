import type { StorageEvent } from "./storage.ts";

/** A write on its way to being durable. */
export interface Write {
  readonly event: StorageEvent;
  /** Wall time in milliseconds at which the entry is to be deleted. */
  readonly expiresAtMs: number | undefined;
}

/** What becomes durable together or not at all. */
export interface Batch {
  /** In revision order, without gaps. */
  readonly writes: readonly Write[];
  /** Revisions whose records nothing needs any more. */
  readonly superseded: readonly number[];
  readonly compactedRevision: number;
}

/** Where batches become durable: the only thing in which engines differ. */
export interface Journal {
  /** One batch at a time. Resolves once it is durable; rejects when none of it is stored. */
  commit(batch: Batch): Promise<void>;
  close(): Promise<void>;
}

/** A write as a journal keeps it. */
export interface JournalRecord {
  readonly revision: number;
  readonly key: string;
  /** Absent: the key was deleted. */
  readonly value: Uint8Array | undefined;
  readonly createRevision: number;
  readonly expiresAtMs: number | undefined;
}

/** What a journal gives back when it is opened again: in revision order, and without gaps after the compacted one. */
export interface JournalContent {
  readonly compactedRevision: number;
  readonly records: readonly JournalRecord[];
}

export function journalRecord({ event, expiresAtMs }: Write): JournalRecord {
  const { key, value, createRevision } = event.entry;
  const stored = event.type === "put" ? value : undefined;
  return { revision: event.revision, key, value: stored, createRevision, expiresAtMs };
}
