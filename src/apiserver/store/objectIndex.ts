import type { KubeObject } from "../../machinery/object.ts";

/** Reads one field of an object as text, as field selectors do. */
export type FieldReader = (object: KubeObject) => string;

export interface Scope {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** A field that must have this value, where the kind has such a field selector. */
  readonly field?: { readonly name: string; readonly value: string } | undefined;
}

/** "default/web", or "node-1" for what has no namespace: the key below the resource's prefix. */
export const objectKey = (namespace: string | undefined, name: string): string =>
  namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;

export const keyOf = ({ metadata }: KubeObject): string => objectKey(metadata.namespace, metadata.name);

interface FieldIndex {
  readonly read: FieldReader;
  readonly byValue: Map<string, Set<string>>;
}

/**
 * All live objects of one resource, by key, by namespace and by those fields that somebody has asked for.
 * Lists come in key order, as etcd gives them; that a '-' sorts before a '/' is why "a-b" comes before "a".
 */
export class ObjectIndex {
  readonly #objects = new Map<string, KubeObject>();
  /** Sorted by name. */
  readonly #byNamespace = new Map<string, KubeObject[]>();
  #namespaces: string[] = [];
  readonly #fields = new Map<string, FieldIndex>();
  readonly #readers: Readonly<Record<string, FieldReader>>;

  constructor(readers: Readonly<Record<string, FieldReader>>) {
    this.#readers = readers;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  set(object: KubeObject): void {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    const siblings = this.#siblings(object.metadata.namespace ?? "");
    siblings.splice(position(siblings, object.metadata.name), previous === undefined ? 0 : 1, object);
    for (const index of this.#fields.values()) moveInField(index, key, previous, object);
  }

  delete(key: string): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#objects.delete(key);
    const namespace = previous.metadata.namespace ?? "";
    const siblings = this.#siblings(namespace);
    siblings.splice(position(siblings, previous.metadata.name), 1);
    if (siblings.length === 0) this.#dropNamespace(namespace);
    for (const index of this.#fields.values()) moveInField(index, key, previous, undefined);
  }

  /** A new array in key order; narrows by index only, so selectors are still to be applied. */
  list({ namespace, name, field }: Scope): KubeObject[] {
    if (name !== undefined && (namespace !== undefined || this.#byNamespace.size <= 1)) {
      const object = this.get(objectKey(namespace ?? this.#namespaces[0], name));
      return object === undefined ? [] : [object];
    }
    if (field !== undefined && this.#readers[field.name] !== undefined) return this.#listByField(field, namespace);
    if (namespace !== undefined) return [...(this.#byNamespace.get(namespace) ?? [])];
    return this.#namespaces.flatMap((each) => this.#byNamespace.get(each) as KubeObject[]);
  }

  #listByField(field: { name: string; value: string }, namespace: string | undefined): KubeObject[] {
    const keys = [...(this.#fieldIndex(field.name).byValue.get(field.value) ?? [])].sort();
    const found = keys.map((key) => this.#objects.get(key) as KubeObject);
    return namespace === undefined ? found : found.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** Made when first asked for, since most fields never are. */
  #fieldIndex(name: string): FieldIndex {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const index: FieldIndex = { read: this.#readers[name] as FieldReader, byValue: new Map() };
    for (const [key, object] of this.#objects) moveInField(index, key, undefined, object);
    this.#fields.set(name, index);
    return index;
  }

  #siblings(namespace: string): KubeObject[] {
    const known = this.#byNamespace.get(namespace);
    if (known !== undefined) return known;
    const siblings: KubeObject[] = [];
    this.#byNamespace.set(namespace, siblings);
    this.#namespaces = [...this.#namespaces, namespace].sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1));
    return siblings;
  }

  #dropNamespace(namespace: string): void {
    this.#byNamespace.delete(namespace);
    this.#namespaces = this.#namespaces.filter((each) => each !== namespace);
  }
}

/** Where `name` is, or belongs, in a list sorted by name. */
function position(sorted: readonly KubeObject[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as KubeObject).metadata.name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function moveInField(
  { read, byValue }: FieldIndex,
  key: string,
  previous: KubeObject | undefined,
  next: KubeObject | undefined,
): void {
  const from = previous === undefined ? undefined : read(previous);
  const to = next === undefined ? undefined : read(next);
  if (from === to) return;
  if (from !== undefined) {
    const keys = byValue.get(from);
    keys?.delete(key);
    if (keys?.size === 0) byValue.delete(from);
  }
  if (to === undefined) return;
  const keys = byValue.get(to);
  if (keys === undefined) byValue.set(to, new Set([key]));
  else keys.add(key);
}
