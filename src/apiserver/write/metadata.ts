/** Metadata that the server fills in and keeps. Source: apiserver registry/rest create.go, update.go, meta.go. */
import type { Env } from "../../lib/env.ts";
import { deepEqual } from "../../machinery/deepEqual.ts";
import type { AnyKind } from "../../machinery/defineKind.ts";
import { type KubeObject, type ObjectMeta, timestamp } from "../../machinery/object.ts";

/** Names are cut to this before the suffix. Source: storage/names, maxNameLength - randomLength. */
const GENERATED_BASE_LENGTH_MAX = 63 - 5;

export const generatedName = (base: string, { random }: Env): string =>
  `${base.slice(0, GENERATED_BASE_LENGTH_MAX)}${random.suffix(5)}`;

/** What a new object gets, whatever its maker wrote there. */
export function newMetadata(metadata: Partial<ObjectMeta>, kind: AnyKind, env: Env): ObjectMeta {
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, selfLink: ___, generation: ____, ...kept } = metadata;
  return {
    ...kept,
    name: metadata.name ?? "",
    uid: env.random.uuid(),
    resourceVersion: "",
    ...(kind.hasGeneration && { generation: 1 }),
    creationTimestamp: timestamp(env.clock.now()),
  };
}

/**
 * What an update may not change of the metadata, taken from the object as it was. Going away cannot be taken back; that
 * it begins is not for an update to say, which validation refuses. Source: rest.BeforeUpdate.
 */
export function keptMetadata(next: ObjectMeta, previous: ObjectMeta): ObjectMeta {
  const { generation: _, ...changed } = next;
  const { namespace, deletionTimestamp, deletionGracePeriodSeconds, generation } = previous;
  return {
    ...changed,
    ...(namespace !== undefined && { namespace }),
    uid: next.uid === "" || next.uid === undefined ? previous.uid : next.uid,
    creationTimestamp: previous.creationTimestamp,
    resourceVersion: previous.resourceVersion,
    ...(generation !== undefined && { generation }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined &&
      next.deletionGracePeriodSeconds === undefined && { deletionGracePeriodSeconds }),
  };
}

/** Counted up when anything but metadata and status has changed. */
export function withGeneration(next: KubeObject, previous: KubeObject, kind: AnyKind): KubeObject {
  if (!kind.hasGeneration || isSameSpec(next, previous)) return next;
  return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}

type Fields = Readonly<Record<string, unknown>>;

function isSameSpec(a: KubeObject, b: KubeObject): boolean {
  const { metadata: _, status: __, ...restA } = a as KubeObject & Fields;
  const { metadata: ___, status: ____, ...restB } = b as KubeObject & Fields;
  return deepEqual(restA, restB);
}
