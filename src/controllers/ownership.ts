/** Which objects belong to an owner with a selector, and how they are adopted and let go. Source: controller_ref_manager.go. */
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";
import type { KindDefinition } from "../machinery/defineKind.ts";
import { isApiError } from "../machinery/errors.ts";
import { labelSelectorOf, selectorMatches } from "../machinery/labelSelector.ts";
import type { KubeObject, LabelSelector } from "../machinery/object.ts";
import { controllerOf, ownerReferenceFor } from "../machinery/ownerReferences.ts";

export interface Claims<T> {
  /** Controlled already, and selected. */
  readonly mine: readonly T[];
  /** Selected orphans, to be adopted. */
  readonly adopt: readonly T[];
  /** Controlled, but no longer selected. */
  readonly release: readonly T[];
}

/** Sorts candidates of the owner's namespace into what it has, takes and lets go. */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector | undefined,
  candidates: readonly T[],
): Claims<T> {
  const parsed = labelSelectorOf(selector);
  const isOwnerGoing = owner.metadata.deletionTimestamp !== undefined;
  const claims = { mine: [] as T[], adopt: [] as T[], release: [] as T[] };
  for (const object of candidates) {
    const controller = controllerOf(object);
    const isSelected = selectorMatches(parsed, object.metadata.labels);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (isSelected) claims.mine.push(object);
      else if (!isOwnerGoing) claims.release.push(object);
    } else if (isSelected && !isOwnerGoing && object.metadata.deletionTimestamp === undefined) {
      claims.adopt.push(object);
    }
  }
  return claims;
}

/**
 * Adopts and lets go as planned. The owner is read from the API before the first adoption: the cache may show one that
 * has gone. @returns what belongs to the owner now.
 */
export async function settleClaims<O extends KubeObject, T extends KubeObject>(
  client: Client,
  { kind: ownerKind, owner }: { readonly kind: KindDefinition<O>; readonly owner: O },
  kind: KindDefinition<T>,
  { mine, adopt, release }: Claims<T>,
): Promise<readonly T[]> {
  for (const object of release) await letGo(client, kind, object, owner.metadata.uid);
  if (adopt.length === 0 || !(await isStillThere(client, ownerKind, owner))) return mine;
  const ownerReferences = [ownerReferenceFor(owner, ownerKind)];
  const adopted: T[] = [];
  for (const object of adopt) {
    const patch = { metadata: { ownerReferences, uid: object.metadata.uid } };
    try {
      adopted.push(await client.patch(kind, targetOf(object), "strategic", patch));
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }
  return [...mine, ...adopted];
}

async function isStillThere<O extends KubeObject>(client: Client, kind: KindDefinition<O>, owner: O): Promise<boolean> {
  const fresh = await client.get(kind, targetOf(owner));
  return fresh.metadata.uid === owner.metadata.uid && fresh.metadata.deletionTimestamp === undefined;
}

async function letGo<T extends KubeObject>(client: Client, kind: KindDefinition<T>, object: T, ownerUid: string) {
  const { uid } = object.metadata;
  const patch = { metadata: { ownerReferences: [{ $patch: "delete", uid: ownerUid }], uid } };
  try {
    await client.patch(kind, targetOf(object), "strategic", patch);
  } catch (error) {
    // Gone, or replaced by another of its name: nothing is left to let go.
    if (!isApiError(error, "NotFound") && !isApiError(error, "Invalid")) throw error;
  }
}

interface Selecting extends KubeObject {
  readonly spec: { readonly selector?: LabelSelector };
}

/**
 * Who has to look at an object that has come, changed or gone: its controller, found by name, since this is asked of
 * every event; of an orphan, all that could adopt it. Source: resolveControllerRef and getPodReplicaSets.
 */
export function ownersOf<O extends Selecting>(informer: Informer<O>, object: KubeObject): readonly O[] {
  const { namespace = "", labels } = object.metadata;
  const controller = controllerOf(object);
  if (controller === undefined) {
    return informer
      .inNamespace(namespace)
      .filter(({ spec }) => selectorMatches(labelSelectorOf(spec.selector), labels));
  }
  if (controller.kind !== informer.kind.kind) return [];
  const owner = informer.find(namespace, controller.name);
  return owner?.metadata.uid === controller.uid ? [owner] : [];
}

export const targetOf = ({ metadata: { name, namespace } }: KubeObject) => ({
  name,
  ...(namespace !== undefined && { namespace }),
});
