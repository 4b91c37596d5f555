/** Reads from the caches, for admission, authorisation and hooks: synchronous, and no older than the last write seen. */
import type { ResourceRef } from "../machinery/errors.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { Resources } from "./resources.ts";
import { objectKey } from "./store/objectIndex.ts";

export interface Reader {
  /** `namespace` "" for what has none. In whatever version the resource is served first. */
  get<T extends KubeObject>(ref: ResourceRef, namespace: string, name: string): T | undefined;
  list<T extends KubeObject>(
    ref: ResourceRef,
    namespace?: string,
    field?: { readonly name: string; readonly value: string },
  ): readonly T[];
  /** Resolves once every write that was durable when it was called can be read. */
  fresh(): Promise<void>;
}

export function createReader(resources: Resources, fresh: () => Promise<void> | undefined): Reader {
  return {
    get: <T>({ group, resource }: ResourceRef, namespace: string, name: string) =>
      resources.findAny(group, resource)?.store.get(objectKey(namespace, name)) as T | undefined,
    list: <T>({ group, resource }: ResourceRef, namespace?: string, field?: { name: string; value: string }) =>
      (resources.findAny(group, resource)?.store.cache.list({ namespace, field }) ?? []) as unknown as readonly T[],
    fresh: async () => fresh(),
  };
}
