/** Downward API: references to a pod's fields and to a container's resources. Source: core/validation (v1.36). */
import { type FieldError, type FieldPath, invalid, notSupported, required } from "../../../machinery/fieldErrors.ts";
import { qualifiedNameReasons } from "../../../machinery/names.ts";
import { formatQuantity, isZeroQuantity, parseQuantity } from "../../../machinery/quantity.ts";
import { because } from "../../checks.ts";
import type { ObjectFieldSelector, ResourceFieldSelector } from "../../generated/core-v1.ts";

/** Source: validEnvDownwardAPIFieldPathExpressions. */
export const ENV_FIELDS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
/** Source: validVolumeDownwardAPIFieldPathExpressions. */
export const VOLUME_FIELDS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
/** Source: apis/core/pods ConvertDownwardAPIFieldLabel. */
const OLD_NODE_FIELD = "spec.host";
const CONVERTIBLE_FIELDS = new Set([
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
  OLD_NODE_FIELD,
]);

const RESOURCES = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

/** "metadata.labels['a']" → ["metadata.labels", "a"]. Source: pkg/fieldpath SplitMaybeSubscriptedPath. */
export function splitSubscript(fieldPath: string): { path: string; subscript: string | undefined } {
  const match = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  return match === null ? { path: fieldPath, subscript: undefined } : { path: match[1] as string, subscript: match[2] };
}

function subscriptErrors(path: string, subscript: string, at: FieldPath): FieldError[] {
  if (path === "metadata.annotations") {
    const key = subscript.toLowerCase();
    return because(at, key, qualifiedNameReasons(key));
  }
  return because(at, subscript, qualifiedNameReasons(subscript));
}

function conversionReason(apiVersion: string, fieldPath: string): string | undefined {
  if (apiVersion !== "v1") return `unsupported pod version: ${apiVersion}`;
  const { path, subscript } = splitSubscript(fieldPath);
  if (subscript === undefined) {
    return CONVERTIBLE_FIELDS.has(fieldPath) ? undefined : `field label not supported: ${fieldPath}`;
  }
  if (path === "metadata.annotations" || path === "metadata.labels") return undefined;
  return `field label does not support subscript: ${fieldPath}`;
}

/** `fields` are those that may be used without a subscript. */
export function validateFieldReference(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  fields: readonly string[],
  at: FieldPath,
): FieldError[] {
  if (!apiVersion) return [required(at.at("apiVersion"))];
  if (!fieldPath) return [required(at.at("fieldPath"))];
  const reason = conversionReason(apiVersion, fieldPath);
  if (reason !== undefined) {
    return [invalid(at.at("fieldPath"), fieldPath, `error converting fieldPath: ${reason}`)];
  }
  const { path, subscript } = splitSubscript(fieldPath === OLD_NODE_FIELD ? "spec.nodeName" : fieldPath);
  if (subscript !== undefined) return subscriptErrors(path, subscript, at);
  return fields.includes(path) ? [] : [notSupported(at.at("fieldPath"), path, fields)];
}

const SIZES = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
const SIZES_TEXT = `only divisor's values ${SIZES.join(", ")} are supported with the`;

const isHugePagesField = (resource: string): boolean => /^(requests|limits)\.hugepages-/.test(resource);

function divisorReason(resource: string, divisor: string): string | undefined {
  const name = resource.slice(resource.indexOf(".") + 1);
  if (name === "cpu") {
    const fine = divisor === "1" || divisor === "1m";
    return fine ? undefined : "only divisor's values 1m and 1 are supported with the cpu resource";
  }
  if (SIZES.includes(divisor)) return undefined;
  if (name === "memory") return `${SIZES_TEXT} memory resource`;
  if (name === "ephemeral-storage") return `${SIZES_TEXT} local ephemeral storage resource`;
  return isHugePagesField(resource) ? `${SIZES_TEXT} hugepages resource` : undefined;
}

function divisorErrors(resource: string, divisor: string | undefined, at: FieldPath): FieldError[] {
  if (divisor === undefined || isZeroQuantity(divisor)) return [];
  const reason = divisorReason(resource, formatQuantity(parseQuantity(divisor)));
  return reason === undefined ? [] : [invalid(at.at("divisor"), resource, reason)];
}

/** In a volume the container must be named. */
export function validateResourceReference(
  { containerName, resource, divisor }: ResourceFieldSelector,
  { inVolume }: { readonly inVolume: boolean },
  at: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (inVolume && !containerName) errors.push(required(at.at("containerName")));
  else if (!resource) errors.push(required(at.at("resource")));
  else if (!RESOURCES.includes(resource) && !isHugePagesField(resource)) {
    errors.push(notSupported(at.at("resource"), resource, RESOURCES));
  }
  return [...errors, ...divisorErrors(resource, divisor, at)];
}
