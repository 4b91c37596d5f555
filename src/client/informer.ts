import type { Env } from "../lib/env.ts";
import type { KindDefinition } from "../machinery/defineKind.ts";
import { apiVersionOf, type KubeObject, type WatchEvent } from "../machinery/object.ts";
import { controllerOf } from "../machinery/ownerReferences.ts";
import type { Client } from "./client.ts";
import { type IndexValues, ObjectCache } from "./objectCache.ts";
import { compareResourceVersions, namespacedKey, objectKey } from "./objectKey.ts";
import type { Outage } from "./outage.ts";
import { runReflector } from "./reflector.ts";

/** Indexes that every informer has. */
export const BY_NAMESPACE = "namespace";
/** By the uid of the owner that controls the object. */
export const BY_CONTROLLER = "controller";
/** By the namespace, only objects that nobody controls. */
export const ORPHANS = "orphans";

export interface InformerHandler<T> {
  readonly onAdd?: (object: T) => void;
  readonly onUpdate?: (previous: T, next: T) => void;
  /** With the last state that was seen. */
  readonly onDelete?: (object: T) => void;
}

export interface InformerOptions<T extends KubeObject> {
  readonly env: Env;
  readonly client: Client;
  readonly kind: KindDefinition<T>;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<string, IndexValues<T>>>;
  /** What of an object is kept, to save memory. Must keep apiVersion, kind, name, namespace, uid, resourceVersion. */
  readonly keep?: (object: T) => T;
  /** Shared by the informers of one server, so that all of them notice at once that it is back. */
  readonly outage?: Outage;
}

const NONE: readonly string[] = [];

interface Waiter {
  readonly isOver: () => boolean;
  readonly resolve: () => void;
}

/**
 * A copy of all objects of one kind, kept up to date by list and watch. What it holds is some past state of the API,
 * whole and in order; it never goes back, and it never shows half of a revision.
 *
 * Handlers run synchronously after the whole batch is in the cache, so a handler that looks may see newer objects than
 * the one that it is called with, never older.
 */
export class Informer<T extends KubeObject> {
  readonly kind: KindDefinition<T>;
  readonly #options: InformerOptions<T>;
  readonly #cache = new ObjectCache<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #stopping = new AbortController();
  #waiters: Waiter[] = [];
  #resourceVersion = "";
  #hasSynced = false;
  #running: Promise<void> | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.kind = options.kind;
    this.#cache.addIndex(BY_NAMESPACE, (object) => [object.metadata.namespace ?? ""]);
    this.#cache.addIndex(BY_CONTROLLER, (object) => {
      const controller = controllerOf(object);
      return controller === undefined ? NONE : [controller.uid];
    });
    this.#cache.addIndex(ORPHANS, (object) =>
      controllerOf(object) === undefined ? [object.metadata.namespace ?? ""] : NONE,
    );
    for (const [name, valuesOf] of Object.entries(options.indexes ?? {})) this.#cache.addIndex(name, valuesOf);
  }

  /** Twice is harmless. */
  start(): this {
    this.#running ??= runReflector<T>({
      ...this.#options,
      sink: {
        replace: (objects, resourceVersion) => this.#replace(objects, resourceVersion),
        apply: (events) => this.#apply(events),
      },
      signal: this.#stopping.signal,
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** The first list is in the cache, and every handler has been called for it. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Everything up to this version has been seen. */
  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  synced(): Promise<void> {
    return this.when(() => this.#hasSynced);
  }

  /** Resolves once `isOver` holds, which is asked now and after each change. */
  when(isOver: () => boolean): Promise<void> {
    if (isOver()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ isOver, resolve });
    });
  }

  hasSeen(resourceVersion: string): boolean {
    return compareResourceVersions(this.#resourceVersion, resourceVersion) >= 0;
  }

  /** @param key as `objectKey` makes it. */
  get(key: string): T | undefined {
    return this.#cache.get(key);
  }

  find(namespace: string | undefined, name: string): T | undefined {
    return this.#cache.get(namespacedKey(namespace, name));
  }

  list(): readonly T[] {
    return this.#cache.list();
  }

  get size(): number {
    return this.#cache.size;
  }

  inNamespace(namespace: string): readonly T[] {
    return this.#cache.byIndex(BY_NAMESPACE, namespace);
  }

  controlledBy(uid: string | undefined): readonly T[] {
    return uid === undefined ? [] : this.#cache.byIndex(BY_CONTROLLER, uid);
  }

  /** What an owner controls, and what it may adopt. */
  claimableBy({ metadata }: KubeObject): readonly T[] {
    const orphans = this.#cache.byIndex(ORPHANS, metadata.namespace ?? "");
    return [...this.controlledBy(metadata.uid), ...orphans];
  }

  byIndex(name: string, value: string): readonly T[] {
    return this.#cache.byIndex(name, value);
  }

  /** At any time; an index of that name which is there already stays. */
  addIndex(name: string, valuesOf: IndexValues<T>): void {
    this.#cache.addIndex(name, valuesOf);
  }

  /** Calls `onAdd` at once for what is in the cache. @returns how to take the handler away. */
  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#cache.list()) handler.onAdd?.(object);
    return () => this.#handlers.delete(handler);
  }

  #replace(objects: readonly T[], resourceVersion: string): void {
    const kept = objects.map((object) => this.#kept(object));
    const keys = new Set(kept.map(objectKey));
    const gone = [...this.#cache.keys()].filter((key) => !keys.has(key));
    const changes: Change<T>[] = [];
    for (const key of gone) changes.push({ previous: this.#cache.delete(key), next: undefined });
    for (const next of kept) {
      const previous = this.#cache.set(next);
      if (previous?.metadata.resourceVersion !== next.metadata.resourceVersion) changes.push({ previous, next });
    }
    this.#publish(changes, resourceVersion, true);
  }

  #apply(events: readonly WatchEvent<T>[]): void {
    const changes: Change<T>[] = [];
    for (const { type, object } of events) {
      if (type === "BOOKMARK" || type === "ERROR") continue;
      const next = this.#kept(object);
      if (type !== "DELETED") changes.push({ previous: this.#cache.set(next), next });
      else changes.push({ previous: this.#cache.delete(objectKey(next)) ?? next, next: undefined });
    }
    this.#publish(changes, events.at(-1)?.object.metadata.resourceVersion ?? this.#resourceVersion, this.#hasSynced);
  }

  #publish(changes: readonly Change<T>[], resourceVersion: string, hasSynced: boolean): void {
    this.#resourceVersion = resourceVersion;
    for (const change of changes) for (const handler of [...this.#handlers]) call(handler, change);
    this.#hasSynced = hasSynced;
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.isOver()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  /** Items of a list may come without their kind, as upstream sends them. */
  #kept(object: T): T {
    const whole =
      object.kind !== undefined && object.kind !== ""
        ? object
        : { ...object, apiVersion: apiVersionOf(this.kind), kind: this.kind.kind };
    return this.#options.keep?.(whole) ?? whole;
  }
}

interface Change<T> {
  readonly previous: T | undefined;
  readonly next: T | undefined;
}

function call<T>(handler: InformerHandler<T>, { previous, next }: Change<T>): void {
  if (next === undefined) handler.onDelete?.(previous as T);
  else if (previous === undefined) handler.onAdd?.(next);
  else handler.onUpdate?.(previous, next);
}
