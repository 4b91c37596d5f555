import type { KubeObject } from "../machinery/object.ts";
import { objectKey } from "./objectKey.ts";

/** The values under which an index finds an object; none leaves it out. */
export type IndexValues<T> = (object: T) => readonly string[];

interface Index<T> {
  readonly valuesOf: IndexValues<T>;
  readonly byValue: Map<string, Map<string, T>>;
}

/** Objects by key, and by the values of named indexes. Objects are shared by reference and never changed. */
export class ObjectCache<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** In the order in which the objects were first seen. */
  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`there is no index called ${name}`);
    return [...(index.byValue.get(value)?.values() ?? [])];
  }

  /** An index of the same name stays as it is. */
  addIndex(name: string, valuesOf: IndexValues<T>): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { valuesOf, byValue: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) insert(index, key, object);
  }

  /** @returns what was there before. */
  set(object: T): T | undefined {
    const key = objectKey(object);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (previous !== undefined) remove(index, key, previous);
      insert(index, key, object);
    }
    return previous;
  }

  /** @returns what was there before. */
  delete(key: string): T | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) remove(index, key, previous);
    return previous;
  }
}

function insert<T>({ valuesOf, byValue }: Index<T>, key: string, object: T): void {
  for (const value of valuesOf(object)) {
    const entries = byValue.get(value);
    if (entries === undefined) byValue.set(value, new Map([[key, object]]));
    else entries.set(key, object);
  }
}

function remove<T>({ valuesOf, byValue }: Index<T>, key: string, object: T): void {
  for (const value of valuesOf(object)) {
    const entries = byValue.get(value);
    entries?.delete(key);
    if (entries?.size === 0) byValue.delete(value);
  }
}
