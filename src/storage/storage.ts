/**
 * Revisioned keys, as etcd has them: the interface that every engine implements and one shared suite tests.
 *
 * Invariants:
 * - One totally ordered history. Every successful write gets the next revision; readers and watchers see revisions in
 *   order, each whole.
 * - A revision is readable and watchable only once it is durable, and a promise of a write resolves only then.
 *   Compare-and-set runs against pending revisions too; a batch that fails fails all that built on it.
 * - Values are opaque bytes and never copied: an engine that keeps them in memory hands back the same `Uint8Array`.
 *
 * Absent on purpose: transactions over several keys (the API needs none) and leases as objects (a TTL per key serves).
 */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the write that made the key. */
  readonly createRevision: number;
  /** Revision of its latest write. */
  readonly modRevision: number;
}

export type StorageEvent =
  | { readonly type: "put"; readonly revision: number; readonly entry: Entry; readonly previous: Entry | undefined }
  /** `entry` is the last state, `revision` that of the deletion. */
  | { readonly type: "delete"; readonly revision: number; readonly entry: Entry };

export interface RangeRequest {
  /** Keys that begin with it. */
  readonly prefix: string;
  /** Only keys after this one (exclusive), for paging. */
  readonly after?: string;
  /** 0 or absent: the newest. @throws CompactedError, FutureRevisionError */
  readonly revision?: number;
  readonly limit?: number;
}

export interface RangeResult {
  /** In key order. */
  readonly entries: readonly Entry[];
  /** The revision that was read. */
  readonly revision: number;
  /** How many keys follow beyond `limit`. */
  readonly remaining: number;
}

export interface PutOptions {
  /** The key's `modRevision` must be this; 0: the key must not exist. Absent: whatever it is. @throws ConflictError */
  readonly expected?: number;
  /** The key is deleted, with an event, this long after the write. */
  readonly ttlMs?: number;
}

export interface Watcher {
  /** Called with events in order; `revision` is how far the history has been delivered (events may be empty then). */
  onEvents(events: readonly StorageEvent[], revision: number): void;
  /** The watch has ended: CompactedError, or the engine closed or failed. */
  onEnd(error: Error): void;
}

export interface Storage {
  /** Newest durable revision. */
  readonly revision: number;
  /** Revisions up to and including this one can no longer be read or watched from (their successors can). */
  readonly compactedRevision: number;
  get(key: string, revision?: number): Promise<Entry | undefined>;
  range(request: RangeRequest): Promise<RangeResult>;
  put(key: string, value: Uint8Array, options?: PutOptions): Promise<Entry>;
  /** @returns the deletion's revision and the last state. @throws ConflictError, NotFoundError */
  delete(
    key: string,
    options?: { readonly expected?: number },
  ): Promise<{ readonly revision: number; readonly previous: Entry }>;
  /** Delivers every event after `sinceRevision` for keys that begin with `prefix`. @returns how to stop it. */
  watch(prefix: string, sinceRevision: number, watcher: Watcher): () => void;
  /**
   * Forgets what only revisions before this one need; this one stays readable, as in etcd, so `compactedRevision` becomes
   * `revision - 1`. @throws CompactedError, FutureRevisionError
   */
  compact(revision: number): Promise<void>;
  /** Waits for pending writes, then lets go of every file and thread. */
  close(): Promise<void>;
}

/** The key is not as `expected` said. `current` is what it is, and durable: who reads and tries again sees it. */
export class ConflictError extends Error {
  readonly key: string;
  readonly current: Entry | undefined;
  constructor(key: string, current: Entry | undefined) {
    super(`the key ${key} is at revision ${current?.modRevision ?? 0}, which is not what the write expected`);
    this.name = "ConflictError";
    this.key = key;
    this.current = current;
  }
}

export class KeyNotFoundError extends Error {
  readonly key: string;
  constructor(key: string) {
    super(`the key ${key} does not exist`);
    this.name = "KeyNotFoundError";
    this.key = key;
  }
}

export class CompactedError extends Error {
  readonly compactedRevision: number;
  constructor(revision: number, compactedRevision: number) {
    super(`revision ${revision} has been compacted (up to ${compactedRevision})`);
    this.name = "CompactedError";
    this.compactedRevision = compactedRevision;
  }
}

export class FutureRevisionError extends Error {
  constructor(revision: number, newest: number) {
    super(`revision ${revision} is in the future (the newest is ${newest})`);
    this.name = "FutureRevisionError";
  }
}

/** The write, and all that built on it, is not stored; the storage goes on from the newest durable revision. */
export class StorageWriteError extends Error {
  constructor(cause: Error) {
    super(`the storage could not write (${cause.message})`, { cause });
    this.name = "StorageWriteError";
  }
}

export class StorageClosedError extends Error {
  constructor(options?: ErrorOptions) {
    super("the storage is closed", options);
    this.name = "StorageClosedError";
  }
}

/** The file is broken, or not ours. Nothing has been written to it. */
export class DamagedStorageError extends Error {
  readonly reason: string;
  constructor(path: string, reason: string) {
    super(`the storage file ${path} cannot be used: ${reason}`);
    this.name = "DamagedStorageError";
    this.reason = reason;
  }
}

/** Another process, or another storage of this one, has the file open. */
export class StorageLockedError extends Error {
  constructor(path: string) {
    super(`the storage file ${path} is in use by another process`);
    this.name = "StorageLockedError";
  }
}
