/**
 * What the API server knows of one stored resource: its live objects and what happened to them lately. Fed by the
 * storage engine's watch alone, never by the write path, so that several API servers on one store work the same way.
 */
import type { Clock } from "../../lib/env.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { Entry, StorageEvent } from "../../storage/storage.ts";
import { EventWindow } from "./eventWindow.ts";
import { type FieldReader, ObjectIndex, type Scope } from "./objectIndex.ts";
import { atRevision, objectOfEntry } from "./objectJson.ts";
import { type CacheEvent, type EventSink, SinkGroups } from "./sinkGroups.ts";

export interface Snapshot {
  /** In key order. */
  readonly objects: readonly KubeObject[];
  readonly revision: number;
}

export class WatchCache {
  readonly #clock: Clock;
  readonly #readers: Readonly<Record<string, FieldReader>>;
  #index: ObjectIndex;
  readonly #window: EventWindow;
  readonly #sinks: SinkGroups;
  /** How far the history has been seen. */
  #revision = 0;
  #lastEventRevision = 0;
  readonly #onDelete: ((object: KubeObject) => void)[] = [];

  constructor(clock: Clock, fieldReaders: Readonly<Record<string, FieldReader>>) {
    this.#clock = clock;
    this.#readers = fieldReaders;
    this.#index = new ObjectIndex(fieldReaders);
    this.#window = new EventWindow();
    this.#sinks = new SinkGroups(fieldReaders);
  }

  get revision(): number {
    return this.#revision;
  }

  /** Of the newest event of this resource: what was listed at or after it is still what a list gives now. */
  get lastEventRevision(): number {
    return this.#lastEventRevision;
  }

  get size(): number {
    return this.#index.size;
  }

  /** @param key below the resource's prefix: "default/web" or "node-1". */
  get(key: string): KubeObject | undefined {
    return this.#index.get(key);
  }

  list(scope: Scope = {}): KubeObject[] {
    return this.#index.list(scope);
  }

  /** Starts (again) from a whole range; watchers of before are told to start anew. */
  load(entries: readonly Entry[], revision: number): void {
    this.#sinks.closeAll();
    this.#index = new ObjectIndex(this.#readers);
    for (const entry of entries) this.#index.set(objectOfEntry(entry));
    this.#window.startAfter(revision);
    this.#revision = revision;
    this.#lastEventRevision = revision;
  }

  /** Takes in one event of the store and passes it on. */
  apply(stored: StorageEvent): void {
    const event = this.#eventOf(stored);
    if (event.type === "DELETED") this.#index.delete(event.key);
    else this.#index.set(event.object);
    this.#lastEventRevision = event.revision;
    this.#revision = event.revision;
    this.#window.push(event, this.#clock.monotonic());
    if (event.type === "DELETED") for (const run of this.#onDelete) run(event.object);
    this.#sinks.dispatch(event);
  }

  /** Nothing more happened up to `revision`. */
  progress(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
  }

  /**
   * Passes every later event of `scope` to `sink`.
   * @returns how to stop it.
   */
  subscribe(scope: Scope, sink: EventSink): () => void {
    return this.#sinks.add(scope, sink);
  }

  /** What happened after `revision`, in order. @throws ApiError 410 when that is no longer known. */
  eventsSince(revision: number): readonly CacheEvent[] {
    return this.#window.since(revision);
  }

  /** Calls `run` with every object that leaves the store, for as long as the cache lives. */
  onDelete(run: (object: KubeObject) => void): void {
    this.#onDelete.push(run);
  }

  /** Sends how far the history has been seen to everybody who watches, and forgets what is too old to go on from. */
  bookmark(): void {
    this.#window.trim(this.#clock.monotonic());
    this.#sinks.bookmark(this.#revision);
  }

  closeWatchers(): void {
    this.#sinks.closeAll();
  }

  #eventOf(stored: StorageEvent): CacheEvent {
    const object = objectOfEntry(stored.entry);
    const key = keyBelow(object);
    const { revision } = stored;
    if (stored.type === "delete") {
      return { type: "DELETED", key, object: atRevision(object, revision), previous: object, revision };
    }
    const previous = this.#index.get(key);
    return { type: previous === undefined ? "ADDED" : "MODIFIED", key, object, previous, revision };
  }
}

const keyBelow = ({ metadata: { namespace, name } }: KubeObject) =>
  namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
