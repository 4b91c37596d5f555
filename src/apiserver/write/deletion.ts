/**
 * What becomes of an object that is to be deleted, decided without doing it.
 * Source: apiserver registry/rest/delete.go BeforeDelete, registry/generic/registry/store.go.
 */
import type { AnyKind } from "../../machinery/defineKind.ts";
import type { DeleteOptions } from "../../machinery/generated/meta-v1.ts";
import { type KubeObject, type ObjectMeta, timestamp } from "../../machinery/object.ts";
import type { WriteHook } from "./hooks.ts";

export const ORPHAN_FINALIZER = "orphan";
export const FOREGROUND_FINALIZER = "foregroundDeletion";

export type Deletion =
  /** It leaves the store now. */
  | { readonly do: "remove" }
  /** It is marked: somebody (a kubelet, a finalizer's owner) has to do something first. */
  | { readonly do: "mark"; readonly object: KubeObject }
  /** It is being deleted already, and nothing changes. */
  | { readonly do: "nothing" };

export function planDeletion(
  object: KubeObject,
  options: DeleteOptions,
  kind: AnyKind,
  hook: WriteHook | undefined,
  nowMs: number,
): Deletion {
  const graceSeconds = kind.deletionGraceSeconds?.(object, options.gracePeriodSeconds);
  const finalizers = finalizersFor(object, options, kind);
  const isHeld = finalizers.length > 0 || hook?.holdsDeletion?.(object) === true;
  if (object.metadata.deletionTimestamp !== undefined && graceSeconds !== undefined) {
    const pending = shortened(object, options, graceSeconds, isHeld);
    if (pending !== undefined) return pending;
  }
  const isGraceful = (graceSeconds ?? 0) > 0;
  if (!isHeld && !isGraceful) return { do: "remove" };
  const deleting = isGraceful
    ? gracefully(object.metadata, graceSeconds as number, nowMs)
    : atOnce(object.metadata, nowMs);
  const marked = { ...object, metadata: withFinalizers(deleting, finalizers) };
  if (deleting === object.metadata && sameList(finalizers, object.metadata.finalizers)) return { do: "nothing" };
  return { do: "mark", object: hook?.markDeleting?.(marked) ?? marked };
}

/** A graceful deletion is under way: only a shorter one changes anything. */
function shortened(
  object: KubeObject,
  { gracePeriodSeconds }: DeleteOptions,
  graceSeconds: number,
  isHeld: boolean,
): Deletion | undefined {
  const { deletionGracePeriodSeconds = 0, deletionTimestamp } = object.metadata;
  if (deletionGracePeriodSeconds === 0) return undefined;
  if (graceSeconds === 0) return isHeld ? undefined : { do: "remove" };
  if (gracePeriodSeconds === undefined || graceSeconds >= deletionGracePeriodSeconds) return { do: "nothing" };
  const startMs = Date.parse(deletionTimestamp as string) - deletionGracePeriodSeconds * 1000;
  const metadata = {
    ...object.metadata,
    deletionTimestamp: timestamp(startMs + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
  };
  return { do: "mark", object: { ...object, metadata } };
}

const gracefully = (metadata: ObjectMeta, graceSeconds: number, nowMs: number): ObjectMeta => ({
  ...counted(metadata),
  deletionTimestamp: timestamp(nowMs + graceSeconds * 1000),
  deletionGracePeriodSeconds: graceSeconds,
});

/** Source: store.go markAsDeleting. */
function atOnce(metadata: ObjectMeta, nowMs: number): ObjectMeta {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const isPast = deletionTimestamp !== undefined && Date.parse(deletionTimestamp) <= nowMs;
  if (isPast && deletionGracePeriodSeconds === 0) return metadata;
  return {
    ...(deletionTimestamp === undefined ? counted(metadata) : metadata),
    deletionTimestamp: isPast ? deletionTimestamp : timestamp(nowMs),
    deletionGracePeriodSeconds: 0,
  };
}

/** The beginning of a deletion counts as a change of what is wanted. */
const counted = (metadata: ObjectMeta): ObjectMeta =>
  metadata.generation === undefined || metadata.generation === 0
    ? metadata
    : { ...metadata, generation: metadata.generation + 1 };

function withFinalizers(metadata: ObjectMeta, finalizers: readonly string[]): ObjectMeta {
  if (finalizers.length > 0) return { ...metadata, finalizers };
  const { finalizers: _, ...rest } = metadata;
  return rest;
}

const sameList = (a: readonly string[], b: readonly string[] = []) =>
  a.length === b.length && a.every((value, index) => value === b[index]);

/** Source: store.go deletionFinalizersForGarbageCollection; those are kept that are not the collector's. */
function finalizersFor({ metadata }: KubeObject, options: DeleteOptions, kind: AnyKind): readonly string[] {
  const current = metadata.finalizers ?? [];
  // Once deletion has begun, another policy comes too late.
  if (metadata.deletionTimestamp !== undefined) return current;
  const others = current.filter((name) => name !== ORPHAN_FINALIZER && name !== FOREGROUND_FINALIZER);
  const wanted = policyOf(current, options, kind);
  if (wanted === "Orphan") return [...others, ORPHAN_FINALIZER];
  return wanted === "Foreground" ? [...others, FOREGROUND_FINALIZER] : others;
}

function policyOf(current: readonly string[], options: DeleteOptions, kind: AnyKind): string {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? "Orphan" : "Background";
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  if (current.includes(ORPHAN_FINALIZER)) return "Orphan";
  if (current.includes(FOREGROUND_FINALIZER)) return "Foreground";
  return kind.defaultPropagation;
}
