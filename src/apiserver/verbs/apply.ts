import { conflict, isApiError } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest } from "../errors.ts";
import { createObject } from "../write/createObject.ts";
import { checkName } from "../write/names.ts";
import { updateObject } from "../write/updateObject.ts";
import type { WriteOptions } from "../write/writeOptions.ts";
import { yamlWarnings } from "../yamlFaults.ts";
import { decoded } from "./decoded.ts";
import { keyOfRequest } from "./get.ts";
import type { PatchBody } from "./patchBody.ts";

/** Server-side apply: the object becomes what the manager says, and is made where it does not exist. */
export async function apply(
  call: ResourceRequest,
  { value, problems }: PatchBody,
  options: WriteOptions,
): Promise<{ readonly object: KubeObject; readonly isNew: boolean }> {
  const applied = checked(call, value);
  const { fieldValidation } = options;
  if (problems.length > 0 && fieldValidation === "Strict") {
    throw badRequest(`error strict decoding patch: ${problems.join(", ")}`);
  }
  if (fieldValidation === "Warn") call.warnings.push(...problems.flatMap(yamlWarnings));
  const { resource, info } = call;
  for (;;) {
    try {
      if (resource.store.get(keyOfRequest(call)) === undefined && info.subresource === "") {
        checkNew(call, applied);
        const draft = applyTo(call, undefined, applied, options);
        return { object: await createObject(call, draft, options, { isOwned: true }), isNew: true };
      }
      const wanted = (current: KubeObject) => applyTo(call, current, applied, options);
      const settings = { optionsKind: "PatchOptions", isOwned: true } as const;
      return { object: await updateObject(call, wanted, options, settings), isNew: false };
    } catch (error) {
      // Somebody made it or deleted it meanwhile.
      const isRace = isApiError(error, "AlreadyExists") || (isApiError(error, "NotFound") && info.subresource === "");
      if (!isRace || error.details?.kind !== resource.ref.resource) throw error;
      await call.server.history.waitUntilFresh();
    }
  }
}

/** Who names a uid means an object that exists. Source: handlers patch.go applyPatch. */
function checkNew({ resource: { ref }, info }: ResourceRequest, { metadata: { uid = "" } }: KubeObject): void {
  if (uid === "") return;
  const reason = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
  throw conflict(ref, info.name, reason);
}

function applyTo(
  call: ResourceRequest,
  current: KubeObject | undefined,
  applied: KubeObject,
  options: WriteOptions,
): KubeObject {
  const { server, resource, info } = call;
  const merged = server.fieldManagers.apply(current, applied, {
    kind: resource.kind,
    manager: options.fieldManager,
    subresource: info.subresource,
    nowMs: server.env.clock.now(),
    force: options.force,
  });
  return merged === current ? current : decoded(call, merged, options.fieldValidation);
}

/** Source: structured-merge-diff manager of apimachinery managedfields, handlers patch.go applyPatcher. */
function checked({ resource, info }: ResourceRequest, body: unknown): KubeObject {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw badRequest("error decoding patch: not an object");
  const object = body as Partial<KubeObject>;
  const { metadata } = object;
  if (metadata?.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  const whole = {
    ...object,
    apiVersion: object.apiVersion ?? "",
    kind: object.kind ?? "",
    metadata: {
      ...metadata,
      name: metadata?.name ?? info.name,
      ...(resource.isNamespaced && { namespace: metadata?.namespace ?? info.namespace }),
    },
  } as KubeObject;
  checkName(whole, { info, resource });
  return whole;
}
