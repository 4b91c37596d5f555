/** What the server serves: kinds joined with where they are stored. */
import type { AnyKind } from "../machinery/defineKind.ts";
import type { ResourceRef } from "../machinery/errors.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { History } from "./store/history.ts";
import { createResourceStore, type ResourceStore } from "./store/resourceStore.ts";

/** One group, version and plural as it is served. */
export interface Resource {
  readonly kind: AnyKind;
  readonly ref: ResourceRef;
  readonly isNamespaced: boolean;
  /** Shared by all versions of the same objects. */
  readonly store: ResourceStore;
  /** From the stored form to this version; the same object where the forms are one. */
  readonly toServed: (stored: KubeObject) => KubeObject;
  readonly toStored: (served: KubeObject) => KubeObject;
}

export interface Resources {
  readonly all: () => readonly Resource[];
  find(group: string, version: string, plural: string): Resource | undefined;
  /** In whatever version it is served. */
  findAny(group: string, plural: string): Resource | undefined;
  /** Starts to serve a kind, from when the promise resolves. */
  add(kind: AnyKind): Promise<Resource>;
  remove(kind: AnyKind): void;
  /** Counts up with every change, so that discovery knows when to be made anew. */
  readonly generation: number;
}

export function createResources(history: History): Resources {
  const byPath = new Map<string, Resource>();
  const byName = new Map<string, Resource>();
  const state = { generation: 0 };
  const pathOf = ({ group, version, plural }: AnyKind) => `${group}/${version}/${plural}`;

  async function add(kind: AnyKind): Promise<Resource> {
    const cache = await history.feed(kind.storagePrefix, kind.fieldSelectors);
    const resource = resourceOf(kind, (ref) => createResourceStore(history, cache, kind.storagePrefix, ref));
    byPath.set(pathOf(kind), resource);
    const name = `${kind.group}/${kind.plural}`;
    if (!byName.has(name)) byName.set(name, resource);
    state.generation += 1;
    return resource;
  }

  function remove(kind: AnyKind): void {
    byPath.delete(pathOf(kind));
    byName.delete(`${kind.group}/${kind.plural}`);
    const left = [...byPath.values()];
    if (!left.some((other) => other.kind.storagePrefix === kind.storagePrefix)) history.forget(kind.storagePrefix);
    state.generation += 1;
  }

  return {
    all: () => [...byPath.values()],
    find: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    findAny: (group, plural) => byName.get(`${group}/${plural}`),
    add,
    remove,
    get generation() {
      return state.generation;
    },
  };
}

function resourceOf(kind: AnyKind, storeFor: (ref: ResourceRef) => ResourceStore): Resource {
  const ref = { group: kind.group, resource: kind.plural };
  const conversions = kind.storedAs;
  const base = { kind, ref, isNamespaced: kind.scope === "Namespaced", store: storeFor(ref) };
  if (conversions === undefined) return { ...base, toServed: (object) => object, toStored: (object) => object };
  const served = new WeakMap<object, KubeObject>();
  const toServed = (stored: KubeObject): KubeObject => {
    const known = served.get(stored);
    if (known !== undefined) return known;
    const made = conversions.fromStored(stored);
    served.set(stored, made);
    return made;
  };
  return { ...base, toServed, toStored: conversions.toStored };
}
