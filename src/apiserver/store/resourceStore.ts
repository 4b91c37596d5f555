/** Reads and writes of one stored resource: reads from the cache, writes to the engine, and then waits for the cache. */
import { isUnchanged } from "../../machinery/apply/managedFields.ts";
import { alreadyExists, conflict, notFound, type ResourceRef } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { ConflictError, type Entry, KeyNotFoundError } from "../../storage/storage.ts";
import type { History } from "./history.ts";
import { keyOf } from "./objectIndex.ts";
import { atRevision, objectOfEntry, storedValueOf } from "./objectJson.ts";
import type { WatchCache } from "./watchCache.ts";

/** Text that clients match on. Source: registry/generic/registry OptimisticLockErrorMsg. */
export const OPTIMISTIC_LOCK_MESSAGE =
  "the object has been modified; please apply your changes to the latest version and try again";

/** What an update makes of the current object; the same object means that there is nothing to write. */
export interface Written {
  readonly next: KubeObject;
  /** It is removed instead of written: its last finalizer has gone. */
  readonly remove?: boolean;
  readonly finish?: ((hasSucceeded: boolean) => void) | undefined;
}

export type Change = (current: KubeObject) => Promise<Written>;

export interface UpdateOptions {
  readonly dryRun?: boolean;
  readonly ttlSeconds?: number;
}

export interface ResourceStore {
  readonly cache: WatchCache;
  readonly history: History;
  readonly prefix: string;
  get(key: string): KubeObject | undefined;
  /** @throws ApiError AlreadyExists */
  create(object: KubeObject, ttlSeconds?: number): Promise<KubeObject>;
  /**
   * Reads, changes and writes, again when somebody else was faster.
   * @throws ApiError NotFound
   */
  update(key: string, change: Change, options?: UpdateOptions): Promise<KubeObject>;
  /** What `create` would give, without writing. @throws ApiError AlreadyExists */
  assumeCreated(object: KubeObject): KubeObject;
  /** @throws ApiError NotFound, Conflict when it is not at `resourceVersion` any more. @returns the last state */
  remove(key: string, resourceVersion: string): Promise<KubeObject>;
}

export function createResourceStore(
  history: History,
  cache: WatchCache,
  prefix: string,
  ref: ResourceRef,
): ResourceStore {
  const { storage } = history;
  const nameOf = (key: string) => key.slice(key.lastIndexOf("/") + 1);
  const seen = async (entry: Entry): Promise<KubeObject> => {
    await history.waitFor(entry.modRevision);
    return objectOfEntry(entry);
  };
  const ttl = (seconds: number | undefined) => (seconds === undefined ? {} : { ttlMs: seconds * 1000 });

  async function create(object: KubeObject, ttlSeconds?: number): Promise<KubeObject> {
    const options = { expected: 0, ...ttl(ttlSeconds) };
    try {
      return await seen(await storage.put(`${prefix}/${keyOf(object)}`, storedValueOf(object), options));
    } catch (error) {
      throw error instanceof ConflictError ? alreadyExists(ref, object.metadata.name) : error;
    }
  }

  /** @throws ConflictError when somebody else was faster and `current` is out of date. */
  async function writeOver(current: KubeObject, key: string, { next, remove }: Written, ttlSeconds?: number) {
    const expected = Number(current.metadata.resourceVersion);
    if (remove !== true)
      return seen(await storage.put(`${prefix}/${key}`, storedValueOf(next), { expected, ...ttl(ttlSeconds) }));
    const { revision } = await storage.delete(`${prefix}/${key}`, { expected });
    await history.waitFor(revision);
    return atRevision(next, revision);
  }

  async function update(key: string, change: Change, { dryRun, ttlSeconds }: UpdateOptions = {}): Promise<KubeObject> {
    let current = cache.get(key);
    for (;;) {
      if (current === undefined) throw notFound(ref, nameOf(key));
      const written = await change(current);
      // A write that changes nothing makes no revision. Source: etcd3 store GuaranteedUpdate.
      const isNoChange = written.remove !== true && (written.next === current || isUnchanged(current, written.next));
      if (dryRun === true || isNoChange) {
        written.finish?.(false);
        return isNoChange ? current : written.next;
      }
      try {
        const result = await writeOver(current, key, written, ttlSeconds);
        written.finish?.(true);
        return result;
      } catch (error) {
        written.finish?.(false);
        if (error instanceof KeyNotFoundError) throw notFound(ref, nameOf(key));
        if (!(error instanceof ConflictError)) throw error;
        current = error.current === undefined ? undefined : objectOfEntry(error.current);
      }
    }
  }

  async function remove(key: string, resourceVersion: string): Promise<KubeObject> {
    try {
      const { revision, previous } = await storage.delete(`${prefix}/${key}`, { expected: Number(resourceVersion) });
      await history.waitFor(revision);
      return atRevision(objectOfEntry(previous), revision);
    } catch (error) {
      if (error instanceof KeyNotFoundError) throw notFound(ref, nameOf(key));
      if (!(error instanceof ConflictError)) throw error;
      if (error.current === undefined) throw notFound(ref, nameOf(key));
      throw conflict(ref, nameOf(key), OPTIMISTIC_LOCK_MESSAGE);
    }
  }

  function assumeCreated(object: KubeObject): KubeObject {
    if (cache.get(keyOf(object)) !== undefined) throw alreadyExists(ref, object.metadata.name);
    const { kind, apiVersion, metadata, ...rest } = object;
    const { resourceVersion: _, ...unversioned } = metadata;
    return { kind, apiVersion, metadata: unversioned, ...rest } as KubeObject;
  }

  return { assumeCreated, cache, history, prefix, get: (key) => cache.get(key), create, update, remove };
}
