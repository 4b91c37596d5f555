/**
 * Gives a pod its node. Written past the pod's strategy, as upstream does, since nobody else may set `spec.nodeName`.
 * Source: kubernetes pkg/registry/core/pod/storage, BindingREST.
 */
import type { Binding, Pod } from "../../api/generated/core-v1.ts";
import { ApiError } from "../../machinery/errors.ts";
import { type FieldError, FieldPath, invalidObject, notSupported, required } from "../../machinery/fieldErrors.ts";
import { type KubeObject, timestamp } from "../../machinery/object.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest, methodNotAllowed } from "../errors.ts";
import { objectResponse } from "../output/view.ts";
import type { SubresourceHandler } from "../router.ts";
import type { Written } from "../store/resourceStore.ts";
import { keyOfRequest } from "../verbs/get.ts";
import { checkPreconditions } from "../write/preconditions.ts";
import { parseWriteOptions } from "../write/writeOptions.ts";

export const BINDING = { group: "", version: "v1", kind: "Binding", type: "api.core.v1.Binding" };

export async function bind(call: ResourceRequest): Promise<ApiResponse> {
  const { request, server, resource, info } = call;
  if (info.verb !== "create") throw methodNotAllowed();
  const options = parseWriteOptions(request, "CreateOptions");
  const binding = server.codecs.decode(request, BINDING, options.fieldValidation).object as unknown as Binding;
  if (binding.metadata.name !== info.name) {
    throw badRequest("name in URL does not match name in Binding object");
  }
  const errors = bindingErrors(binding);
  if (errors.length > 0) throw invalidObject(BINDING, info.name, errors);
  const change = async (current: KubeObject): Promise<Written> => ({
    next: bound(current as unknown as Pod, binding, call) as unknown as KubeObject,
  });
  await resource.store.update(keyOfRequest(call), change, { dryRun: options.dryRun });
  return objectResponse({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }, 201);
}

/** Source: core/validation ValidatePodBinding. */
function bindingErrors({ target }: Binding): FieldError[] {
  const path = new FieldPath("target");
  const errors: FieldError[] = [];
  const { kind = "", name = "" } = target ?? {};
  if (kind !== "" && kind !== "Node") errors.push(notSupported(path.at("kind"), kind, ["Node", "<empty>"]));
  if (name === "") errors.push(required(path.at("name")));
  return errors;
}

/** Source: BindingREST setPodHostAndAnnotations. */
function bound(pod: Pod, { target, metadata }: Binding, { resource, server }: ResourceRequest): Pod {
  const { name } = pod.metadata;
  checkPreconditions(resource, pod as unknown as KubeObject, metadata);
  const { ref } = resource;
  if (pod.metadata.deletionTimestamp !== undefined)
    refuse(ref, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  const nodeName = pod.spec?.nodeName ?? "";
  if (nodeName !== "") refuse(ref, name, `pod ${name} is already assigned to node ${JSON.stringify(nodeName)}`);
  if ((pod.spec?.schedulingGates ?? []).length > 0)
    refuse(ref, name, `pod ${name} has non-empty .spec.schedulingGates`);
  const annotations = { ...pod.metadata.annotations, ...metadata.annotations };
  const labels = { ...pod.metadata.labels, ...metadata.labels };
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(Object.keys(labels).length > 0 && { labels }),
    },
    spec: { ...pod.spec, nodeName: target.name },
    status: { ...status, conditions: scheduledConditions(pod, timestamp(server.env.clock.now())) },
  } as Pod;
}

function refuse(ref: ResourceRequest["resource"]["ref"], name: string, reason: string): never {
  throw new ApiError("Conflict", `Operation cannot be fulfilled on pods/binding ${JSON.stringify(name)}: ${reason}`, {
    details: { name, kind: `${ref.resource}/binding` },
  });
}

function scheduledConditions(pod: Pod, now: string) {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  const observedGeneration = pod.metadata.generation;
  const scheduled = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now };
  return [...others, { ...(observedGeneration !== undefined && { observedGeneration }), ...scheduled }];
}

export const podBinding: SubresourceHandler = { group: "", resource: "pods", subresource: "binding", handle: bind };
