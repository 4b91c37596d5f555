import type { Env } from "../lib/env.ts";
import { Expiries } from "./expiries.ts";
import { History, stateAfter, stateBefore } from "./history.ts";
import type { Journal, JournalContent, JournalRecord, Write } from "./journal.ts";
import { LiveEntries } from "./liveEntries.ts";
import {
  CompactedError,
  ConflictError,
  type Entry,
  FutureRevisionError,
  KeyNotFoundError,
  type PutOptions,
  type RangeRequest,
  type RangeResult,
  type Storage,
  StorageClosedError,
  type StorageEvent,
  StorageWriteError,
  type Watcher,
} from "./storage.ts";
import { Watches } from "./watches.ts";

/** Most requests of one batch; the rest wait for the next. Callers bound how many wait (the API's limits in flight). */
const BATCH_REQUESTS_MAX = 4096;

/** A write, or (without one) a compaction, that waits for its batch. */
interface Request {
  readonly write: Write | undefined;
  resolve(): void;
  reject(error: Error): void;
}

/** What a key will be once the pending writes are durable. */
interface PendingState {
  readonly revision: number;
  readonly entry: Entry | undefined;
  readonly durable: Promise<void>;
}

/**
 * The storage that all engines share: live entries, history and watches in memory, and a journal that makes batches
 * durable. Reads see what is durable; compare-and-set sees what is pending too.
 *
 * Worked history: put a (revision 2) and put b (3) gather and are committed as one batch; while it commits, put a (4)
 * and delete b (5) gather. The batch is durable: a and b become readable, watchers see 2 and 3, both promises resolve,
 * and 4 and 5 go to the journal. Had it failed, all four would have been rejected, and the next write been revision 2.
 */
export class JournaledStorage implements Storage {
  readonly #env: Env;
  readonly #journal: Journal;
  readonly #live = new LiveEntries();
  readonly #history: History;
  readonly #watches: Watches;
  readonly #expiries: Expiries;
  readonly #pending = new Map<string, PendingState>();
  /** Newest revision given to a write, durable or not. */
  #assignedRevision: number;
  #gathering: Request[] = [];
  #committing: Promise<void> | undefined;
  /** Records that the next batch may delete. */
  #superseded: number[] = [];
  #closedBecause: StorageClosedError | undefined;
  #closing: Promise<void> | undefined;

  constructor(env: Env, journal: Journal, content: JournalContent = { compactedRevision: 0, records: [] }) {
    this.#env = env;
    this.#journal = journal;
    this.#history = new History(content.compactedRevision);
    this.#watches = new Watches(this.#history);
    this.#expiries = new Expiries(env.clock, (key, modRevision) => this.#expire(key, modRevision));
    for (const record of content.records) this.#restore(record);
    this.#trim();
    this.#assignedRevision = this.#history.revision;
  }

  get revision(): number {
    return this.#history.revision;
  }

  get compactedRevision(): number {
    return this.#history.compactedRevision;
  }

  async get(key: string, revision = 0): Promise<Entry | undefined> {
    this.#assertOpen();
    if (revision === 0) return this.#live.get(key);
    this.#history.assertReadable(revision);
    const later = this.#history.after(revision).find((event) => event.entry.key === key);
    return later === undefined ? this.#live.get(key) : stateBefore(later);
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    this.#assertOpen();
    const newest = this.#history.revision;
    const revision = request.revision || newest;
    if (revision === newest && !request.revision) return { ...this.#live.range(request), revision };
    this.#history.assertReadable(revision);
    return { ...this.#live.range(request, this.#history.statesAt(revision)), revision };
  }

  async put(key: string, value: Uint8Array, { expected, ttlMs }: PutOptions = {}): Promise<Entry> {
    this.#assertOpen();
    const previous = this.#newest(key);
    if (expected !== undefined && expected !== (previous?.modRevision ?? 0)) {
      return this.#refuse(key, new ConflictError(key, previous));
    }
    const revision = this.#assignedRevision + 1;
    const entry = { key, value, createRevision: previous?.createRevision ?? revision, modRevision: revision };
    const expiresAtMs = ttlMs === undefined ? undefined : this.#env.clock.now() + ttlMs;
    await this.#write({ type: "put", revision, entry, previous }, expiresAtMs);
    return entry;
  }

  async delete(key: string, { expected }: { readonly expected?: number } = {}) {
    this.#assertOpen();
    const previous = this.#newest(key);
    if (previous === undefined) return this.#refuse(key, new KeyNotFoundError(key));
    if (expected !== undefined && expected !== previous.modRevision) {
      return this.#refuse(key, new ConflictError(key, previous));
    }
    const revision = this.#assignedRevision + 1;
    await this.#write({ type: "delete", revision, entry: previous }, undefined);
    return { revision, previous };
  }

  watch(prefix: string, sinceRevision: number, watcher: Watcher): () => void {
    this.#assertOpen();
    return this.#watches.add(prefix, sinceRevision, watcher);
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    const { revision: newest, compactedRevision } = this.#history;
    if (revision > newest) throw new FutureRevisionError(revision, newest);
    if (revision <= compactedRevision) throw new CompactedError(revision, compactedRevision);
    this.#supersede(this.#history.compact(revision - 1));
    await this.#submit(undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(new StorageClosedError());
    return this.#closing;
  }

  /** For the engine: its journal is gone, so nothing can be written any more. */
  fail(cause: Error): void {
    this.#closing ??= this.#close(new StorageClosedError({ cause }));
  }

  async #close(because: StorageClosedError): Promise<void> {
    this.#closedBecause = because;
    this.#expiries.stop();
    this.#flush();
    while (this.#committing !== undefined) await this.#committing;
    this.#watches.end(because);
    await this.#journal.close();
  }

  #assertOpen(): void {
    if (this.#closedBecause !== undefined) throw this.#closedBecause;
  }

  #newest(key: string): Entry | undefined {
    const pending = this.#pending.get(key);
    return pending === undefined ? this.#live.get(key) : pending.entry;
  }

  /**
   * Refuses only once what speaks against the write is durable: who is refused reads and tries again, and would
   * otherwise read the old state, over and over.
   */
  async #refuse(key: string, error: Error): Promise<never> {
    await this.#pending.get(key)?.durable;
    throw error;
  }

  #write(event: StorageEvent, expiresAtMs: number | undefined): Promise<void> {
    this.#assignedRevision = event.revision;
    const durable = this.#submit({ event, expiresAtMs });
    this.#pending.set(event.entry.key, { revision: event.revision, entry: stateAfter(event), durable });
    return durable;
  }

  /** The batch leaves in a microtask, so that what one task writes goes together. */
  #submit(write: Write | undefined): Promise<void> {
    if (this.#gathering.length === 0) queueMicrotask(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#gathering.push({ write, resolve, reject });
    });
  }

  #flush(): void {
    if (this.#committing !== undefined || this.#gathering.length === 0) return;
    const requests = this.#gathering.splice(0, BATCH_REQUESTS_MAX);
    const writes = requests.flatMap(({ write }) => write ?? []);
    const superseded = this.#superseded;
    this.#superseded = [];
    const committed = this.#journal.commit({ writes, superseded, compactedRevision: this.compactedRevision });
    this.#committing = committed.then(
      () => this.#apply(requests, writes),
      (error: Error) => {
        this.#superseded = superseded.concat(this.#superseded);
        this.#rollBack(requests, error);
      },
    );
  }

  #apply(requests: readonly Request[], writes: readonly Write[]): void {
    this.#committing = undefined;
    // The journal works on the next batch while this one is made known.
    this.#flush();
    for (const write of writes) this.#applyWrite(write);
    this.#watches.publish();
    this.#trim();
    for (const request of requests) request.resolve();
  }

  #applyWrite({ event, expiresAtMs }: Write): void {
    const { key } = event.entry;
    if (event.type === "put") this.#live.set(event.entry);
    else this.#live.delete(key);
    this.#history.append(event);
    if (this.#pending.get(key)?.revision === event.revision) this.#pending.delete(key);
    if (expiresAtMs !== undefined) this.#expiries.add(event.entry, expiresAtMs);
  }

  #rollBack(requests: readonly Request[], cause: Error): void {
    this.#committing = undefined;
    const lost = requests.concat(this.#gathering);
    this.#gathering = [];
    this.#pending.clear();
    this.#assignedRevision = this.#history.revision;
    const error = new StorageWriteError(cause);
    for (const request of lost) request.reject(error);
  }

  #restore({ revision, key, value, createRevision, expiresAtMs }: JournalRecord): void {
    const previous = this.#live.get(key);
    if (value === undefined) {
      if (previous === undefined) throw new Error(`revision ${revision} deletes ${key}, which does not exist`);
      this.#restoreEvent({ type: "delete", revision, entry: previous }, undefined);
    } else {
      const entry = { key, value, createRevision, modRevision: revision };
      this.#restoreEvent({ type: "put", revision, entry, previous }, expiresAtMs);
    }
  }

  /** What had been compacted only makes the entries that the later events change. */
  #restoreEvent(event: StorageEvent, expiresAtMs: number | undefined): void {
    if (event.revision > this.compactedRevision) this.#applyWrite({ event, expiresAtMs });
    else if (event.type === "delete") this.#live.delete(event.entry.key);
    else {
      this.#live.set(event.entry);
      if (expiresAtMs !== undefined) this.#expiries.add(event.entry, expiresAtMs);
    }
  }

  #trim(): void {
    this.#supersede(this.#history.trim());
  }

  /** A dropped event no longer needs the state before it, nor a record of a deletion. */
  #supersede(dropped: readonly StorageEvent[]): void {
    for (const event of dropped) {
      const before = stateBefore(event);
      if (before !== undefined) this.#superseded.push(before.modRevision);
      if (event.type === "delete") this.#superseded.push(event.revision);
    }
  }

  async #expire(key: string, modRevision: number): Promise<void> {
    if (this.#newest(key)?.modRevision === modRevision) await this.delete(key, { expected: modRevision });
  }
}
