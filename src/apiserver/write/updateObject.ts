import { conflict } from "../../machinery/errors.ts";
import { FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ResourceRequest } from "../context.ts";
import { OPTIMISTIC_LOCK_MESSAGE, type Written } from "../store/resourceStore.ts";
import { keyOfRequest } from "../verbs/get.ts";
import { admissionRequest, managementOf, writeContext } from "./admissionRequest.ts";
import { keptMetadata, withGeneration } from "./metadata.ts";
import { checkName } from "./names.ts";
import { withOwnersOnce } from "./ownerReferences.ts";
import { checkPreconditions } from "./preconditions.ts";
import { metadataUpdateErrors } from "./validateMetadata.ts";
import type { WriteOptions } from "./writeOptions.ts";

/** From the object as it is (in the resource's version) to what the caller wants it to be, defaults filled in. */
export type Wanted = (current: KubeObject) => KubeObject | Promise<KubeObject>;

export interface UpdateSettings {
  readonly optionsKind: "UpdateOptions" | "PatchOptions";
  /** Its managedFields are already right (it was made by apply). */
  readonly isOwned?: boolean;
}

/**
 * Changes an object, or the part of it that the request's subresource stands for; goes again when somebody else was
 * faster and the caller did not say which version is meant.
 * @returns the stored form
 * @throws ApiError NotFound, Conflict, Invalid, …
 */
export async function updateObject(
  call: ResourceRequest,
  wanted: Wanted,
  options: WriteOptions,
  settings: UpdateSettings,
): Promise<KubeObject> {
  const { resource } = call;
  const change = async (stored: KubeObject): Promise<Written> => {
    const current = resource.toServed(stored);
    const asked = await wanted(current);
    if (asked === current) return { next: stored };
    return writeOne(call, asked, current, options, settings);
  };
  return resource.store.update(keyOfRequest(call), change, {
    dryRun: options.dryRun,
    ...(resource.kind.ttlSeconds !== undefined && { ttlSeconds: resource.kind.ttlSeconds }),
  });
}

async function writeOne(
  call: ResourceRequest,
  asked: KubeObject,
  current: KubeObject,
  options: WriteOptions,
  { optionsKind, isOwned }: UpdateSettings,
): Promise<Written> {
  const { server, resource } = call;
  const { kind } = resource;
  checkVersion(call, asked, current, optionsKind);
  // A patch is looked at only after admission. Source: endpoints/handlers rest.go.
  const sent = optionsKind === "UpdateOptions" ? withOwnersOnce(asked, call) : asked;
  const next = part(call, { ...sent, metadata: keptMetadata(sent.metadata, current.metadata) }, current);
  const owned = isOwned ? next : server.fieldManagers.update(current, next, managementOf(call, options));
  const mutated = (await server.admission.mutate(
    admissionRequest(call, "UPDATE", owned, current, options.dryRun, optionsKind),
  )) as KubeObject;
  const admitted = withOwnersOnce(mutated, call, { afterAdmission: true });
  const hook = server.hooks.of(kind.group, kind.plural);
  const { user, info } = call;
  const context = { dryRun: options.dryRun, user, namespace: info.namespace };
  const begun = (await hook?.beginUpdate?.(admitted, current, context)) ?? { object: admitted };
  try {
    const object = finished(call, begun.object, current);
    await server.admission.validate(admissionRequest(call, "UPDATE", object, current, options.dryRun, optionsKind));
    const next = resource.toStored(object);
    return { next, finish: begun.finish, remove: isLastUpdate(object, current, hook?.holdsDeletion?.(object)) };
  } catch (error) {
    begun.finish?.(false);
    throw error;
  }
}

/** The strategy's part: what may not change stays, and what is wrong is said. */
function finished(call: ResourceRequest, wanted: KubeObject, current: KubeObject): KubeObject {
  const { kind } = call.resource;
  const context = writeContext(call);
  const prepared = kind.withDefaults(kind.prepareForUpdate(wanted, current, context));
  const object = withGeneration(call.server.codecs.whole(prepared, kind), current, kind);
  const errors = [
    ...metadataUpdateErrors(object, current),
    ...kind.validate(object, context),
    ...kind.validateUpdate(object, current, context),
  ];
  if (errors.length > 0) throw invalidObject(kind.storedAs ?? kind, object.metadata.name, errors);
  if (call.info.subresource === "" || call.info.subresource === "scale")
    call.warnings.push(...kind.warnings(object, current));
  return object;
}

/** Source: registry/generic/registry/store.go Update. A patch's uid is no precondition, but a field like others. */
function checkVersion(
  call: ResourceRequest,
  asked: KubeObject,
  current: KubeObject,
  optionsKind: UpdateSettings["optionsKind"],
): void {
  const { kind, ref } = call.resource;
  checkName(asked, call);
  const { uid = "", resourceVersion = "" } = asked.metadata;
  if (optionsKind === "UpdateOptions") checkPreconditions(call.resource, current, { uid });
  if (resourceVersion === "" || resourceVersion === "0") {
    if (kind.unconditionalUpdate) return;
    const error = invalid(new FieldPath("metadata").at("resourceVersion"), 0, "must be specified for an update");
    // Upstream names the resource here, where it names the kind elsewhere.
    throw invalidObject({ group: ref.group, kind: ref.resource }, current.metadata.name, [error]);
  }
  if (resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(ref, current.metadata.name, OPTIMISTIC_LOCK_MESSAGE);
  }
}

type WithStatus = KubeObject & { readonly status?: unknown };

/** Status is kept apart from the rest, and so is each part that has its own path. */
function part({ resource: { kind }, info }: ResourceRequest, next: WithStatus, current: WithStatus): KubeObject {
  const { status: hasStatus, parts } = kind.subresources;
  if (info.subresource === "") return hasStatus ? withStatus(next, current.status) : next;
  if (info.subresource === "status") {
    const { ownerReferences: _, ...metadata } = next.metadata;
    const { ownerReferences } = current.metadata;
    const kept = { ...current, metadata: { ...metadata, ...(ownerReferences !== undefined && { ownerReferences }) } };
    return withStatus(kept, next.status);
  }
  return parts?.[info.subresource]?.(next, current) ?? next;
}

function withStatus(object: WithStatus, status: unknown): KubeObject {
  if (object.status === status) return object;
  if (status !== undefined) return { ...object, status } as KubeObject;
  const { status: _, ...rest } = object;
  return rest;
}

/** The last finalizer of a deleted object is gone. Source: store.go ShouldDeleteDuringUpdate. */
const isLastUpdate = (next: KubeObject, { metadata }: KubeObject, isHeld = false): boolean =>
  metadata.deletionTimestamp !== undefined &&
  metadata.deletionGracePeriodSeconds === 0 &&
  (next.metadata.finalizers ?? []).length === 0 &&
  !isHeld;
