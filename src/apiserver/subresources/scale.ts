/** autoscaling/v1 Scale of whatever has replicas. Source: kubernetes pkg/registry/apps/deployment/storage. */
import type { Scale } from "../../api/generated/autoscaling-v1.ts";
import type { ScaleMapping } from "../../machinery/defineKind.ts";
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
import { objectResponse } from "../output/view.ts";
import type { SubresourceHandler } from "../router.ts";
import { keyOfRequest, waitForRevision } from "../verbs/get.ts";
import { patchBody, patchTypeOf } from "../verbs/patchBody.ts";
import { updateObject } from "../write/updateObject.ts";
import { parseWriteOptions } from "../write/writeOptions.ts";

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
  await waitForRevision(server, request.query?.get("resourceVersion") ?? "");
  const stored = resource.store.get(keyOfRequest(call));
  if (stored === undefined) throw notFound(resource.ref, info.name);
  return objectResponse(scaleOf(resource.toServed(stored), mapping));
}

async function writeScale(call: ResourceRequest, mapping: ScaleMapping): Promise<ApiResponse> {
  const isPatch = call.info.verb === "patch";
  const optionsKind = isPatch ? "PatchOptions" : "UpdateOptions";
  const options = parseWriteOptions(call.request, optionsKind);
  const wantedScale = isPatch ? patchedScale(call) : putScale(call);
  const wanted = (current: KubeObject): KubeObject => {
    const scale = wantedScale(scaleOf(current, mapping));
    const replicas = scale.spec?.replicas ?? 0;
    if (replicas < 0) {
      const path = new FieldPath("spec").at("replicas");
      const error = invalid(path, replicas, "must be greater than or equal to 0");
      throw invalidObject(SCALE, scale.metadata.name, [error]);
    }
    const { resourceVersion, uid } = scale.metadata;
    const changed = withValue(current as unknown as Json, mapping.specReplicas.split("."), replicas);
    return { ...changed, metadata: { ...current.metadata, uid, resourceVersion } } as unknown as KubeObject;
  };
  const updated = await updateObject(call, wanted, options, { optionsKind });
  return objectResponse(scaleOf(call.resource.toServed(updated), mapping));
}

function putScale({ server, request }: ResourceRequest): (current: Scale) => Scale {
  const { object } = server.codecs.decode(request, SCALE, "Warn");
  return () => object as Scale;
}

function patchedScale({ server, request }: ResourceRequest): (current: Scale) => Scale {
  const type = patchTypeOf(request);
  const { value: body } = patchBody(request, type);
  const patch = (current: Scale): unknown => {
    if (type === "json") return applyJsonPatch(current, body);
    if (type === "strategic") return applyStrategicMergePatch(current, body, server.codecs.schemaOf(SCALE));
    return applyMergePatch(current, body);
  };
  return (current) => server.codecs.decodeValue(patch(current), SCALE, "Warn").object as Scale;
}

export const scale: SubresourceHandler = { group: "*", resource: "*", subresource: "scale", handle };
