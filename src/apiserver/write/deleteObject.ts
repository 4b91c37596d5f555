import { conflict, notFound, type Status } from "../../machinery/errors.ts";
import type { DeleteOptions } from "../../machinery/generated/meta-v1.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ResourceRequest } from "../context.ts";
import type { Written } from "../store/resourceStore.ts";
import { admissionRequest } from "./admissionRequest.ts";
import { planDeletion } from "./deletion.ts";

export type Deleted =
  | { readonly isGone: true; readonly object: KubeObject }
  /** It stays until its finalizers or its grace period are over. */
  | { readonly isGone: false; readonly object: KubeObject };

/**
 * Deletes one object, or begins to.
 * @param key below the resource's prefix
 * @throws ApiError NotFound, Conflict, Forbidden
 */
export async function deleteObject(call: ResourceRequest, key: string, options: DeleteOptions): Promise<Deleted> {
  const { server, resource } = call;
  const { store, kind } = resource;
  const dryRun = (options.dryRun ?? []).length > 0;
  const hook = server.hooks.of(kind.group, kind.plural);
  let isGone = false;
  const change = async (stored: KubeObject): Promise<Written> => {
    const current = resource.toServed(stored);
    checkPreconditions(call, current, options);
    await admit(call, current, dryRun);
    const plan = planDeletion(current, options, kind, hook, server.env.clock.now());
    isGone = plan.do === "remove";
    if (plan.do === "remove") return { next: stored, remove: true };
    return { next: plan.do === "mark" ? resource.toStored(plan.object) : stored };
  };
  if (store.get(key) === undefined) throw notFound(resource.ref, key.slice(key.lastIndexOf("/") + 1));
  const object = await store.update(key, change, { dryRun });
  return { isGone, object };
}

async function admit(call: ResourceRequest, current: KubeObject, dryRun: boolean): Promise<void> {
  const request = admissionRequest(call, "DELETE", undefined, current, dryRun, "DeleteOptions");
  const named = { ...request, name: current.metadata.name };
  await call.server.admission.mutate(named);
  await call.server.admission.validate(named);
}

/** Source: registry/rest/delete.go BeforeDelete, which names the kind where others name the resource. */
function checkPreconditions(
  { resource: { kind } }: ResourceRequest,
  { metadata }: KubeObject,
  { preconditions = {} }: DeleteOptions,
): void {
  const { uid, resourceVersion } = preconditions;
  const ref = { group: kind.group, resource: kind.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const reason = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(ref, metadata.name, reason);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const reason = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(ref, metadata.name, reason);
  }
}

/** The answer to a deletion that is over. Source: store.go finalizeDelete. */
export const deletedStatus = ({ resource: { ref } }: ResourceRequest, { metadata }: KubeObject): Status => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  details: {
    name: metadata.name,
    ...(ref.group !== "" && { group: ref.group }),
    kind: ref.resource,
    uid: metadata.uid,
  },
  code: 200,
});
