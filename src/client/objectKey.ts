/** Keys under which caches and queues know an object: "namespace/name", or "name" for a cluster-scoped one. */
import type { ObjectMeta } from "../machinery/object.ts";

export const objectKey = ({ metadata }: { readonly metadata: Pick<ObjectMeta, "name" | "namespace"> }): string =>
  namespacedKey(metadata.namespace, metadata.name);

export const namespacedKey = (namespace: string | undefined, name: string): string =>
  namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Versions of one store are whole numbers that grow; an absent one is before all others. */
export function compareResourceVersions(a: string | undefined, b: string | undefined): number {
  const left = a ?? "";
  const right = b ?? "";
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}
