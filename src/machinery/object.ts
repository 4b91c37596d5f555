/** Shapes that every kind shares. Objects are immutable: types are read-only all the way down, nothing is copied. */
import type { ObjectMeta } from "./generated/meta-v1.ts";

export type { LabelSelector, ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./generated/meta-v1.ts";

/** Any API object in its wire form: timestamps are RFC 3339 strings, quantities are strings. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object that does not exist yet: what the server fills in may be left out. */
export type Draft<T extends KubeObject> = {
  readonly [K in Exclude<keyof T, "metadata" | "status" | "spec" | "apiVersion" | "kind">]?: T[K];
} & {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Partial<ObjectMeta>;
  readonly spec?: T extends { readonly spec: infer S } ? S : never;
  readonly status?: T extends { readonly status: infer S } ? S : never;
};

export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** "apps/v1", or "v1" for the core group. */
export const apiVersionOf = ({ group, version }: { group: string; version: string }): string =>
  group === "" ? version : `${group}/${version}`;

/** The opposite of `apiVersionOf`. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

export interface WatchEvent<T = KubeObject> {
  readonly type: WatchEventType;
  readonly object: T;
}

/** A list as the API serves it. */
export interface KubeList<T = KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly T[];
}

/** Seconds-precision RFC 3339, the form of `metav1.Time`. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Microsecond-precision RFC 3339, the form of `metav1.MicroTime`. */
export const microTimestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`;
