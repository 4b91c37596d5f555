/**
 * The one watch on the store, from which every resource's cache is fed. One for all of them, so that the whole server
 * is at one revision of one history, and a client that has written anywhere finds it everywhere.
 */
import type { Env, Timer } from "../../lib/env.ts";
import type { Storage, StorageEvent } from "../../storage/storage.ts";
import type { FieldReader } from "./objectIndex.ts";
import { WatchCache } from "./watchCache.ts";

/** Source: kube-apiserver --etcd-prefix. */
export const REGISTRY_PREFIX = "/registry/";
/** Source: apiserver cacher, defaultBookmarkFrequency. */
const BOOKMARK_INTERVAL_MS = 60_000;

/** History older than one to two of these is forgotten. Source: kube-apiserver --etcd-compaction-interval. */
const COMPACTION_INTERVAL_MS = 300_000;

interface Fed {
  readonly cache: WatchCache;
  /** Events that came while the cache is being loaded. */
  held: StorageEvent[] | undefined;
}

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

export class History {
  readonly #env: Env;
  readonly #storage: Storage;
  readonly #fed = new Map<string, Fed>();
  #waiters: Waiter[] = [];
  #revision = 0;
  #stopWatch: (() => void) | undefined;
  #bookmarks: Timer | undefined;
  #compaction: Timer | undefined;
  #closed = false;

  constructor(env: Env, storage: Storage) {
    this.#env = env;
    this.#storage = storage;
  }

  /** Newest revision that has reached the caches. */
  get revision(): number {
    return this.#revision;
  }

  get storage(): Storage {
    return this.#storage;
  }

  /** Adds a resource; it is filled at once when the history is running, otherwise by `start`. */
  async feed(prefix: string, readers: Readonly<Record<string, FieldReader>>): Promise<WatchCache> {
    const known = this.#fed.get(prefix);
    if (known !== undefined) return known.cache;
    const fed: Fed = { cache: new WatchCache(this.#env.clock, readers), held: [] };
    this.#fed.set(prefix, fed);
    if (this.#stopWatch !== undefined) await this.#load(prefix, fed);
    return fed.cache;
  }

  forget(prefix: string): void {
    this.#fed.get(prefix)?.cache.closeWatchers();
    this.#fed.delete(prefix);
  }

  /** Loads every cache and follows the store from there. */
  async start(): Promise<void> {
    this.#revision = this.#storage.revision;
    this.#stopWatch = this.#storage.watch(REGISTRY_PREFIX, this.#revision, {
      onEvents: (events, revision) => this.#onEvents(events, revision),
      onEnd: (error) => this.#onEnd(error),
    });
    for (const [prefix, fed] of this.#fed) await this.#load(prefix, fed);
    this.#bookmarks ??= this.#env.clock.setTimer(BOOKMARK_INTERVAL_MS, () => this.#bookmark());
    if (this.#compaction === undefined) this.#compactLater(this.#revision);
  }

  /** Resolves once the caches have seen `revision`. Upstream bounds this wait; callers do so by their own deadline. */
  waitFor(revision: number): Promise<void> | undefined {
    if (this.#revision >= revision || this.#closed) return undefined;
    return new Promise((resolve) => {
      this.#waiters.push({ revision, resolve });
    });
  }

  /** Resolves once everything that was durable when it was called can be read. */
  waitUntilFresh(): Promise<void> | undefined {
    return this.waitFor(this.#storage.revision);
  }

  close(): void {
    this.#closed = true;
    this.#stopWatch?.();
    this.#bookmarks?.cancel();
    this.#compaction?.cancel();
    for (const { cache } of this.#fed.values()) {
      // So that those who watch can go on from here at the next server.
      cache.bookmark();
      cache.closeWatchers();
    }
    this.#release(Number.POSITIVE_INFINITY);
  }

  async #load(prefix: string, fed: Fed): Promise<void> {
    const { entries, revision } = await this.#storage.range({ prefix: `${prefix}/` });
    fed.cache.load(entries, revision);
    for (const event of fed.held ?? []) if (event.revision > revision) fed.cache.apply(event);
    fed.held = undefined;
    fed.cache.progress(this.#revision);
  }

  #onEvents(events: readonly StorageEvent[], revision: number): void {
    for (const event of events) {
      const fed = this.#fedBy(event.entry.key);
      if (fed === undefined) continue;
      if (fed.held !== undefined) fed.held.push(event);
      else fed.cache.apply(event);
    }
    this.#revision = Math.max(this.#revision, revision);
    for (const { cache, held } of this.#fed.values()) if (held === undefined) cache.progress(revision);
    this.#release(revision);
  }

  /** The prefix is the key without name, or without namespace and name. */
  #fedBy(key: string): Fed | undefined {
    const parent = key.slice(0, key.lastIndexOf("/"));
    return this.#fed.get(parent) ?? this.#fed.get(parent.slice(0, parent.lastIndexOf("/")));
  }

  #release(revision: number): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.revision <= revision);
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > revision);
    for (const { resolve } of due) resolve();
  }

  /** The store could not go on (it was compacted beyond us, or an etcd went away): start from what it has now. */
  #onEnd(error: Error): void {
    if (this.#closed) return;
    this.#env.log.warn("the watch on the store has ended; loading it anew", { error: error.message });
    for (const fed of this.#fed.values()) fed.held = [];
    this.#stopWatch = undefined;
    this.#env.clock.setTimer(1_000, () => {
      if (!this.#closed) this.start().catch((again) => this.#onEnd(again as Error));
    });
  }

  #bookmark(): void {
    if (this.#closed) return;
    for (const { cache } of this.#fed.values()) cache.bookmark();
    this.#bookmarks = this.#env.clock.setTimer(BOOKMARK_INTERVAL_MS, () => this.#bookmark());
  }

  /** What is now the newest revision will be the oldest that can be read, next time. */
  #compactLater(revision: number): void {
    this.#compaction = this.#env.clock.setTimer(COMPACTION_INTERVAL_MS, () => {
      if (this.#closed) return;
      this.#compactLater(this.#revision);
      if (revision <= this.#storage.compactedRevision) return;
      this.#storage.compact(revision).catch((error: Error) => {
        this.#env.log.debug("the store was not compacted", { revision, error: error.message });
      });
    });
  }
}
