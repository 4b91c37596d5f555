/** autoscaling/v1 Scale of whatever has replicas. Source: kubernetes pkg/registry/apps/deployment/storage. */
import type { Scale } from "../../api/generated/autoscaling-v1.ts";
import type { Column, ScaleMapping } from "../../machinery/defineKind.ts";
import { notFound } from "../../machinery/errors.ts";
import { FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import { formatSelector, labelSelectorOf, selectorFromLabels } from "../../machinery/labelSelector.ts";
import type { KubeObject, LabelSelector } from "../../machinery/object.ts";
import { applyJsonPatch } from "../../machinery/patch/jsonPatch.ts";
import { applyMergePatch } from "../../machinery/patch/mergePatch.ts";
import { applyStrategicMergePatch } from "../../machinery/patch/strategicMergePatch.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { methodNotAllowed } from "../errors.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import type { SubresourceHandler } from "../router.ts";
import { keyOfRequest, waitForRevision, wantedRevision } from "../verbs/get.ts";
import { checkPatchOptions } from "../verbs/patch.ts";
import { patchBody, patchTypeOf } from "../verbs/patchBody.ts";
import { checkName } from "../write/names.ts";
import { updateObject } from "../write/updateObject.ts";
import { parseWriteOptions, type WriteOptions } from "../write/writeOptions.ts";

const SCALE = { group: "autoscaling", version: "v1", kind: "Scale", type: "api.autoscaling.v1.Scale" };

type Json = Readonly<Record<string, unknown>>;

const at = (object: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, name) => (value as Json | undefined)?.[name], object);

const withValue = (object: Json, [name, ...rest]: readonly string[], value: unknown): Json => {
  const key = name as string;
  return { ...object, [key]: rest.length === 0 ? value : withValue((object[key] ?? {}) as Json, rest, value) };
};

function scaleOf(object: KubeObject, mapping: ScaleMapping): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = (at(object, mapping.specReplicas) ?? 0) as number;
  const selector = selectorText(at(object, mapping.selector));
  return {
    kind: SCALE.kind,
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: (at(object, mapping.statusReplicas) ?? 0) as number,
      ...(selector !== "" && { selector }),
    },
  };
}

function selectorText(selector: unknown): string {
  if (selector === undefined || selector === null) return "";
  const isObjectForm = "matchLabels" in (selector as object) || "matchExpressions" in (selector as object);
  if (!isObjectForm) return formatSelector(selectorFromLabels(selector as Record<string, string>));
  return formatSelector(labelSelectorOf(selector as LabelSelector));
}

async function handle(call: ResourceRequest): Promise<ApiResponse> {
  const mapping = call.resource.kind.subresources.scale as ScaleMapping;
  if (call.info.verb === "get") return getScale(call, mapping);
  if (call.info.verb === "update" || call.info.verb === "patch") return writeScale(call, mapping);
  throw methodNotAllowed();
}

async function getScale(call: ResourceRequest, mapping: ScaleMapping): Promise<ApiResponse> {
  const { resource, server, info, request } = call;
  await waitForRevision(server, wantedRevision(request));
  const stored = resource.store.get(keyOfRequest(call));
  if (stored === undefined) throw notFound(resource.ref, info.name);
  return shown(call, stored, mapping);
}

/** Source: kubernetes printers/internalversion, scaleColumnDefinitions. */
const COLUMNS: readonly Column<KubeObject>[] = [
  { name: "Name", value: ({ metadata }) => metadata.name },
  { name: "Desired", type: "integer", value: (object) => (object as Scale).spec?.replicas ?? 0 },
  { name: "Available", type: "integer", value: (object) => (object as Scale).status?.replicas ?? 0 },
  { name: "Age", type: "date", value: ({ metadata }) => metadata.creationTimestamp },
];

/** The scale of a stored object, in the form that the client asks for. @throws ApiError 406 */
function shown(call: ResourceRequest, stored: KubeObject, mapping: ScaleMapping): ApiResponse {
  const { resource } = call;
  const kind = { ...resource.kind, columns: COLUMNS };
  const view = negotiateView({ ...call, resource: { ...resource, kind, toServed: (object) => object } });
  return objectResponse(view.one(scaleOf(resource.toServed(stored), mapping) as KubeObject, true));
}

async function writeScale(call: ResourceRequest, mapping: ScaleMapping): Promise<ApiResponse> {
  const isPatch = call.info.verb === "patch";
  const optionsKind = isPatch ? "PatchOptions" : "UpdateOptions";
  const options = parseWriteOptions(call.request, optionsKind);
  if (isPatch) checkPatchOptions(call.request, patchTypeOf(call.request));
  if (isPatch && patchTypeOf(call.request) === "apply") return applyScale(call, mapping, options);
  const wantedScale = isPatch ? patchedScale(call, options) : putScale(call, options);
  const wanted = (current: KubeObject): KubeObject => {
    const scale = wantedScale(scaleOf(current, mapping));
    checkName(scale as KubeObject, call);
    const replicas = checkedReplicas(scale);
    const { resourceVersion, uid } = scale.metadata;
    const changed = withValue(current as unknown as Json, mapping.specReplicas.split("."), replicas);
    return { ...changed, metadata: { ...current.metadata, uid, resourceVersion } } as unknown as KubeObject;
  };
  const updated = await updateObject(call, wanted, options, { optionsKind });
  return shown(call, updated, mapping);
}

function checkedReplicas({ metadata, spec }: Scale): number {
  const replicas = spec?.replicas ?? 0;
  if (replicas >= 0) return replicas;
  const error = invalid(new FieldPath("spec").at("replicas"), replicas, "must be greater than or equal to 0");
  throw invalidObject(SCALE, metadata.name, [error]);
}

/** What is applied is owned in the object that is scaled, under the field that the scale stands for. */
async function applyScale(call: ResourceRequest, mapping: ScaleMapping, options: WriteOptions): Promise<ApiResponse> {
  const { server, request, resource, info } = call;
  const { value } = patchBody(request, "apply");
  const { object, warnings } = server.codecs.decodeValue(value, SCALE, options.fieldValidation);
  call.warnings.push(...warnings);
  checkName(object, call);
  checkedReplicas(object as Scale);
  const replicas = (value as Partial<Scale>).spec?.replicas;
  const { fieldManager: manager, force } = options;
  const wanted = (current: KubeObject): KubeObject => {
    const { name, namespace, resourceVersion } = object.metadata;
    const head = { apiVersion: current.apiVersion, kind: current.kind, metadata: { name, namespace, resourceVersion } };
    const applied = replicas === undefined ? head : withValue(head, mapping.specReplicas.split("."), replicas);
    const management = { kind: resource.kind, manager, subresource: info.subresource, nowMs: server.env.clock.now() };
    return server.fieldManagers.apply(current, applied as unknown as KubeObject, { ...management, force });
  };
  const updated = await updateObject(call, wanted, options, { optionsKind: "PatchOptions", isOwned: true });
  return shown(call, updated, mapping);
}

function putScale(call: ResourceRequest, { fieldValidation }: WriteOptions): (current: Scale) => Scale {
  const { object, warnings } = call.server.codecs.decode(call.request, SCALE, fieldValidation);
  call.warnings.push(...warnings);
  return () => object as Scale;
}

function patchedScale(call: ResourceRequest, { fieldValidation }: WriteOptions): (current: Scale) => Scale {
  const { server, request } = call;
  const type = patchTypeOf(request);
  const { value: body, problems } = patchBody(request, type);
  const patch = (current: Scale): unknown => {
    if (type === "json") return applyJsonPatch(current, body);
    if (type === "strategic") return applyStrategicMergePatch(current, body, server.codecs.schemaOf(SCALE));
    return applyMergePatch(current, body);
  };
  return (current) => {
    const { object, warnings } = server.codecs.decodeValue(patch(current), SCALE, fieldValidation, problems);
    call.warnings.push(...warnings);
    return object as Scale;
  };
}

export const scale: SubresourceHandler = { group: "*", resource: "*", subresource: "scale", handle };
