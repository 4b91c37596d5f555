/**
 * Asks a pod to go, where its disruption budget lets it. Source: kubernetes pkg/registry/core/pod/storage/eviction.go.
 * Absent as yet: PodDisruptionBudgets (`mayEvict` is their place), whose kind is not served.
 */

import type { Pod } from "../../api/generated/core-v1.ts";
import type { Eviction } from "../../api/generated/policy-v1.ts";
import { notFound } from "../../machinery/errors.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest, methodNotAllowed } from "../errors.ts";
import { objectResponse } from "../output/view.ts";
import type { SubresourceHandler } from "../router.ts";
import { keyOfRequest } from "../verbs/get.ts";
import { deleteObject } from "../write/deleteObject.ts";
import { parseWriteOptions } from "../write/writeOptions.ts";

const EVICTION = { group: "policy", version: "v1", kind: "Eviction", type: "api.policy.v1.Eviction" };

/** @throws ApiError 429 while a disruption budget does not allow it */
export type MayEvict = (pod: Pod, call: ResourceRequest) => void | Promise<void>;

export function podEviction(mayEvict: MayEvict): SubresourceHandler {
  const handle = async (call: ResourceRequest): Promise<ApiResponse> => {
    const { request, server, resource, info } = call;
    if (info.verb !== "create") throw methodNotAllowed();
    const options = parseWriteOptions(request, "CreateOptions");
    const eviction = server.codecs.decode(request, EVICTION, options.fieldValidation).object as unknown as Eviction;
    if (eviction.metadata.name !== info.name) throw badRequest("name in URL does not match name in Eviction object");
    const pod = resource.store.get(keyOfRequest(call)) as unknown as Pod | undefined;
    if (pod === undefined) throw notFound(resource.ref, info.name);
    await mayEvict(pod, call);
    const deleteOptions = { ...eviction.deleteOptions, ...(options.dryRun && { dryRun: ["All"] }) };
    await deleteObject(call, keyOfRequest(call), deleteOptions);
    return objectResponse({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }, 201);
  };
  return { group: "", resource: "pods", subresource: "eviction", handle };
}
