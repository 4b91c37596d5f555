import { ApiError, isApiError, qualifiedResource } from "../../machinery/errors.ts";
import { invalidObject } from "../../machinery/fieldErrors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { attributesOf, forbiddenError } from "../auth/authorizer.ts";
import type { ResourceRequest } from "../context.ts";
import { admissionRequest, managementOf, writeContext } from "./admissionRequest.ts";
import { generatedName, newMetadata } from "./metadata.ts";
import { checkNamespace } from "./names.ts";
import { withOwnersOnce } from "./ownerReferences.ts";
import { metadataErrors } from "./validateMetadata.ts";
import type { WriteOptions } from "./writeOptions.ts";

/** Source: registry/generic/registry/store.go, maxNameGenerationCreateAttempts. */
const NAME_ATTEMPTS_MAX = 8;

/** Passed on as it is, which makes it a 500. Source: storage/errors.go, ErrResourceVersionSetOnCreate. */
const RESOURCE_VERSION_SET_MESSAGE = "resourceVersion should not be set on objects to be created";

/**
 * Makes a new object of a draft in the resource's version, with defaults filled in.
 * @param isOwned its managedFields are already right (it was made by apply)
 * @returns the stored form; of a dry run what would have been stored
 * @throws ApiError AlreadyExists, Invalid, Forbidden, …
 */
export async function createObject(
  call: ResourceRequest,
  draft: KubeObject,
  options: WriteOptions,
  { isOwned = false } = {},
): Promise<KubeObject> {
  checkNamespace(draft, call);
  if (draft.metadata.resourceVersion) throw new ApiError("", RESOURCE_VERSION_SET_MESSAGE, { code: 500 });
  const admitted = await admit(call, isOwned ? draft : withOwnersOnce(draft, call), options, isOwned);
  const { generateName = "", name } = admitted.metadata;
  const isGenerated = name === "" && generateName !== "";
  for (let attempt = 1; ; attempt += 1) {
    const named = isGenerated ? withName(admitted, generatedName(generateName, call.server.env)) : admitted;
    try {
      return await createNamed(call, named, options);
    } catch (error) {
      if (!isGenerated || !isApiError(error, "AlreadyExists")) throw error;
      if (attempt >= NAME_ATTEMPTS_MAX) throw nameConflict(call, named.metadata.name, error);
    }
  }
}

const withName = (object: KubeObject, name: string): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, name },
});

/** Source: api/errors NewGenerateNameConflict. */
const nameConflict = ({ resource: { ref } }: ResourceRequest, name: string, cause: ApiError): ApiError =>
  new ApiError(
    "AlreadyExists",
    `${qualifiedResource(ref)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { cause, details: { ...cause.details, retryAfterSeconds: 1 } },
  );

/** Who changes new objects does not see a name that is still to be made. Source: registry/rest, BeforeCreate. */
async function admit(call: ResourceRequest, draft: KubeObject, options: WriteOptions, isOwned: boolean) {
  const { server, resource } = call;
  const { kind } = resource;
  const filled: KubeObject = { ...draft, metadata: namespaced(newMetadata(draft.metadata, kind, server.env), call) };
  const owned = isOwned ? filled : server.fieldManagers.update(undefined, filled, managementOf(call, options));
  const admitted = await server.admission.mutate(
    admissionRequest(call, "CREATE", owned, undefined, options.dryRun, "CreateOptions"),
  );
  return withOwnersOnce(admitted as KubeObject, call, { afterAdmission: true });
}

async function createNamed(call: ResourceRequest, named: KubeObject, options: WriteOptions) {
  const { server, resource } = call;
  const { kind } = resource;
  const context = writeContext(call);
  const begun = await begin(call, named, options.dryRun);
  let hasSucceeded = false;
  try {
    const object = server.codecs.whole(kind.withDefaults(kind.prepareForCreate(begun.object, context)), kind);
    const errors = [...metadataErrors(object, resource), ...kind.validate(object, context)];
    if (errors.length > 0) throw invalidObject(kind.storedAs ?? kind, object.metadata.name, errors);
    checkMayCreate(call);
    await server.admission.validate(
      admissionRequest(call, "CREATE", object, undefined, options.dryRun, "CreateOptions"),
    );
    call.warnings.push(...kind.warnings(object));
    const stored = resource.toStored(object);
    if (options.dryRun) return resource.store.assumeCreated(stored);
    const created = await resource.store.create(stored, kind.ttlSeconds);
    hasSucceeded = true;
    return created;
  } finally {
    begun.finish?.(hasSucceeded);
  }
}

/**
 * Who applies or puts what does not exist makes it, which takes another right. Source: handlers create.go, withAuthorization.
 * @throws ApiError 403
 */
function checkMayCreate({ server, info, user }: ResourceRequest): void {
  if (info.verb === "create") return;
  const attributes = attributesOf({ ...info, verb: "create" }, user);
  const { isAllowed, reason } = server.authorize(attributes);
  if (!isAllowed) throw forbiddenError(attributes, reason);
}

async function begin({ server, resource: { kind }, user, info }: ResourceRequest, object: KubeObject, dryRun: boolean) {
  const hook = server.hooks.of(kind.group, kind.plural);
  return (await hook?.beginCreate?.(object, { dryRun, user, namespace: info.namespace })) ?? { object };
}

function namespaced(metadata: KubeObject["metadata"], { resource, info }: ResourceRequest): KubeObject["metadata"] {
  if (resource.isNamespaced) return { ...metadata, namespace: info.namespace };
  const { namespace: _, ...rest } = metadata;
  return rest;
}
