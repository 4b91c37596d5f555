/** What becomes of an object, given its owners and dependents. Source: pkg/controller/garbagecollector, attemptToDeleteItem. */
import type { KubeObject, OwnerReference } from "../../machinery/object.ts";

export const ORPHAN_FINALIZER = "orphan";
/** The object goes after its dependents. */
export const FOREGROUND_FINALIZER = "foregroundDeletion";

/** How an owner reference turned out. */
export type OwnerState =
  /** There, and staying. */
  | "solid"
  /** There, deleted, and waiting for its dependents to go first. */
  | "waiting"
  /** Not there: there is no such object, or another of its name. */
  | "absent";

export interface ObservedObject {
  readonly object: KubeObject;
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
  readonly dependents: readonly KubeObject[];
}

export type GarbageAction =
  | { readonly do: "set-owners"; readonly object: KubeObject; readonly ownerReferences: readonly OwnerReference[] }
  | { readonly do: "remove-finalizer"; readonly finalizer: string }
  | { readonly do: "delete"; readonly policy: "Foreground" | "Background" | "Orphan" }
  /** Its dependents have to be looked at, since it waits for them. */
  | { readonly do: "visit"; readonly uids: readonly string[] };

export const isWaitingForDependents = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true;

const isOrphaning = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(ORPHAN_FINALIZER) === true;

/** Decides; never acts. Same input, same actions. */
export function plan(observed: ObservedObject): readonly GarbageAction[] {
  const { object, dependents } = observed;
  if (isOrphaning(object)) return orphan(object, dependents);
  if (isWaitingForDependents(object)) return afterDependents(object, dependents);
  if (object.metadata.deletionTimestamp !== undefined || observed.owners.length === 0) return [];
  return byOwners(observed);
}

function orphan(object: KubeObject, dependents: readonly KubeObject[]): readonly GarbageAction[] {
  const freed = dependents.map((dependent): GarbageAction => {
    const ownerReferences = dependent.metadata.ownerReferences ?? [];
    const left = ownerReferences.filter(({ uid }) => uid !== object.metadata.uid);
    return { do: "set-owners", object: dependent, ownerReferences: left };
  });
  return [...freed, { do: "remove-finalizer", finalizer: ORPHAN_FINALIZER }];
}

/** Only dependents that block the owner's deletion are waited for. Source: processDeletingDependentsItem. */
function afterDependents(object: KubeObject, dependents: readonly KubeObject[]): readonly GarbageAction[] {
  const { uid } = object.metadata;
  const blocking = dependents.filter(({ metadata }) =>
    metadata.ownerReferences?.some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true),
  );
  if (blocking.length === 0) return [{ do: "remove-finalizer", finalizer: FOREGROUND_FINALIZER }];
  const untouched = blocking.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return untouched.length === 0 ? [] : [{ do: "visit", uids: untouched.map(({ metadata }) => metadata.uid) }];
}

function byOwners({ object, owners, dependents }: ObservedObject): readonly GarbageAction[] {
  const solid = owners.filter(({ state }) => state === "solid").map(({ reference }) => reference);
  if (solid.length === owners.length) return [];
  if (solid.length > 0) return [{ do: "set-owners", object, ownerReferences: solid }];
  const isAwaited = owners.some(({ state }) => state === "waiting");
  if (!isAwaited || dependents.length === 0) return [{ do: "delete", policy: ownPolicy(object) }];
  // Two that wait for each other would wait for ever: one of them stops blocking.
  const isCircle = dependents.some(isWaitingForDependents);
  const unblocked = owners.map(({ reference }) => ({ ...reference, blockOwnerDeletion: false }));
  return [
    ...(isCircle ? [{ do: "set-owners" as const, object, ownerReferences: unblocked }] : []),
    { do: "delete", policy: "Foreground" },
  ];
}

/** What its finalizers ask for already. */
function ownPolicy({ metadata }: KubeObject): "Foreground" | "Background" | "Orphan" {
  if (metadata.finalizers?.includes(ORPHAN_FINALIZER) === true) return "Orphan";
  return metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true ? "Foreground" : "Background";
}
