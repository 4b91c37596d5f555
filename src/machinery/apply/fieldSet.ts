/**
 * Sets of field paths, kept in the form in which they are stored: FieldsV1. A node is an object whose keys are path
 * elements (`f:name`, `k:{"name":"a"}`, `v:1`); an empty node is a member of the set, and so is one with a "." key.
 * Nodes are immutable and shared; an operation that changes nothing gives back what it was given.
 *
 * One worked history: {f:spec: {f:a: {}, f:b: {}}} holds .spec.a and .spec.b. Without .spec.a it is
 * {f:spec: {f:b: {}}}; with .spec itself it is {f:spec: {".": {}, f:b: {}}}.
 * Source: structured-merge-diff fieldpath/set.go, serialize.go.
 */

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** A member without children, and also the set without members. */
export const LEAF: FieldSet = Object.freeze({});
export const EMPTY_SET = LEAF;

type Building = Record<string, FieldSet>;

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether the path that leads to a node is in the set. */
export const isMember = (node: FieldSet): boolean => node["."] !== undefined || isEmptySet(node);

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  return isEmptySet(a) ? b : unionOfKeys(a, b);
}

function unionOfKeys(a: FieldSet, b: FieldSet): FieldSet {
  let result: Building | undefined;
  for (const key in b) {
    const theirs = b[key] as FieldSet;
    const ours = a[key];
    const both = ours === undefined ? theirs : unionOfNodes(ours, theirs);
    if (both === ours) continue;
    result ??= { ...a };
    result[key] = both;
  }
  return result ?? a;
}

function unionOfNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmptySet(a)) return asMember(b);
  return isEmptySet(b) ? asMember(a) : unionOfKeys(a, b);
}

/** The node with its own path in the set too. */
export const asMember = (node: FieldSet): FieldSet => (isMember(node) ? node : { ".": LEAF, ...node });

/** Members of `a` that are not members of `b`; what is below a member of `b` stays. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(a) || isEmptySet(b) ? a : childrenLeft(a, b);

/** The children of `a` that are left, without regard to the nodes' own membership. */
function childrenLeft(a: FieldSet, b: FieldSet): FieldSet {
  let result: Building | undefined;
  for (const key in b) {
    const ours = a[key];
    if (key === "." || ours === undefined) continue;
    const left = differenceOfNodes(ours, b[key] as FieldSet);
    if (left === ours) continue;
    result ??= { ...a };
    if (left === undefined) delete result[key];
    else result[key] = left;
  }
  return result ?? a;
}

function differenceOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const stays = isMember(a) && !isMember(b);
  const children = childrenLeft(a, b);
  return withMembership(children, isMember(a), stays);
}

/** Undefined when neither the node nor anything below it is left. */
function withMembership(children: FieldSet, was: boolean, is: boolean): FieldSet | undefined {
  if (was === is) return !is && isEmptySet(children) ? undefined : children;
  const { ".": _, ...rest } = children;
  if (isEmptySet(rest)) return is ? LEAF : undefined;
  return is ? { ".": LEAF, ...rest } : rest;
}

/** Members of both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: Building = {};
  for (const key in a) {
    const theirs = b[key];
    if (key === "." || theirs === undefined) continue;
    const both = intersectionOfNodes(a[key] as FieldSet, theirs);
    if (both !== undefined) result[key] = both;
  }
  return result;
}

function intersectionOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const children = intersection(a, b);
  const member = isMember(a) && isMember(b);
  if (isEmptySet(children)) return member ? LEAF : undefined;
  return member ? { ".": LEAF, ...children } : children;
}

/** Without the members of `b` and everything below them: how fields are ignored. */
export function withoutSubtrees(a: FieldSet, b: FieldSet): FieldSet {
  let result: Building | undefined;
  for (const key in b) {
    const ours = a[key];
    if (key === "." || ours === undefined) continue;
    const theirs = b[key] as FieldSet;
    const left = isMember(theirs) ? undefined : withoutSubtreesOfNode(ours, theirs);
    if (left === ours) continue;
    result ??= { ...a };
    if (left === undefined) delete result[key];
    else result[key] = left;
  }
  return result ?? a;
}

const withoutSubtreesOfNode = (a: FieldSet, b: FieldSet): FieldSet | undefined => {
  const left = withoutSubtrees(a, b);
  return left !== a && isEmptySet(left) ? undefined : left;
};

/** Which kind of element comes first. Source: structured-merge-diff fieldpath PathElement.Compare. */
const ELEMENT_ORDER = "fkvi";

function byElement(a: string, b: string): number {
  const kinds = ELEMENT_ORDER.indexOf(a[0] as string) - ELEMENT_ORDER.indexOf(b[0] as string);
  if (kinds !== 0) return kinds;
  return a < b ? -1 : 1;
}

/** Every member's path, as its elements, in upstream's order: on each level the members, then what is below. */
export function* members(set: FieldSet, path: readonly string[] = []): Generator<readonly string[]> {
  const keys = Object.keys(set)
    .filter((key) => key !== ".")
    .sort(byElement);
  for (const key of keys) if (isMember(set[key] as FieldSet)) yield [...path, key];
  for (const key of keys) yield* members(set[key] as FieldSet, [...path, key]);
}

/** A set of plain field paths: `fieldSetOf("status", "metadata.labels")`. */
export function fieldSetOf(...paths: string[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => {
    const node = path.split(".").reduceRight<FieldSet>((inner, name) => ({ [`f:${name}`]: inner }), LEAF);
    return union(set, node);
  }, EMPTY_SET);
}

const ELEMENT = /^(?:f:|k:\{|v:|i:[0-9]+$)/;

/** Whether foreign JSON is a field set. */
export function isFieldSet(value: unknown): value is FieldSet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const key in value) {
    if (key !== "." && !ELEMENT.test(key)) return false;
    if (!isFieldSet((value as FieldSet)[key])) return false;
  }
  return true;
}
