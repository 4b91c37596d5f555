/** Who owns and who controls an object. Source: apimachinery meta/v1 controller_ref.go. */
import { deepEqual } from "./deepEqual.ts";
import { apiVersionOf, type OwnerReference } from "./object.ts";

interface Owned {
  readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] };
}

interface Owner {
  readonly metadata: { readonly name: string; readonly uid?: string };
}

/** The one reference that says `controller: true`. */
export function controllerOf(object: Owned): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: Owned, owner: { readonly metadata: { readonly uid?: string } }): boolean {
  const controller = controllerOf(object);
  return controller !== undefined && controller.uid === owner.metadata.uid;
}

export const isOwnedBy = (object: Owned, uid: string): boolean =>
  object.metadata.ownerReferences?.some((reference) => reference.uid === uid) === true;

/** The reference that a controller puts on what it makes. Source: NewControllerRef. */
export function ownerReferenceFor(
  owner: Owner,
  { group, version, kind }: { readonly group: string; readonly version: string; readonly kind: string },
): OwnerReference {
  return {
    apiVersion: apiVersionOf({ group, version }),
    kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

/**
 * Equal references count once.
 * @returns the same list where there is nothing to drop, and the UIDs of what was dropped.
 * Source: endpoints/handlers rest.go, dedupOwnerReferences.
 */
export function withoutDuplicates(references: readonly OwnerReference[] = []) {
  const kept: OwnerReference[] = [];
  const droppedUids: string[] = [];
  for (const reference of references) {
    if (kept.some((one) => deepEqual(one, reference))) droppedUids.push(reference.uid);
    else kept.push(reference);
  }
  return { references: droppedUids.length > 0 ? kept : references, droppedUids };
}
