import type { WriteContext } from "../../machinery/defineKind.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { AdmissionRequest } from "../admission/chain.ts";
import type { ResourceRequest } from "../context.ts";
import type { FieldManagement } from "./fieldManagers.ts";
import type { WriteOptions } from "./writeOptions.ts";

export const writeContext = ({ server, info, user }: ResourceRequest): WriteContext => ({
  nowMs: server.env.clock.now(),
  subresource: info.subresource,
  user,
});

export const managementOf = (
  { resource, server, info }: ResourceRequest,
  { fieldManager }: WriteOptions,
): FieldManagement => ({
  kind: resource.kind,
  manager: fieldManager,
  subresource: info.subresource,
  nowMs: server.env.clock.now(),
});

/** What the admission plugins are asked about. */
export function admissionRequest(
  { resource, info, user, warnings }: ResourceRequest,
  operation: AdmissionRequest["operation"],
  object: KubeObject | undefined,
  oldObject: KubeObject | undefined,
  dryRun: boolean,
  optionsKind: string,
): AdmissionRequest {
  return {
    operation,
    kind: resource.kind,
    ref: resource.ref,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name !== "" ? info.name : (object?.metadata.name ?? ""),
    object,
    oldObject,
    user,
    dryRun,
    options: { apiVersion: "meta.k8s.io/v1", kind: optionsKind, ...(dryRun && { dryRun: ["All"] }) },
    warn: (text) => warnings.push(text),
  };
}
