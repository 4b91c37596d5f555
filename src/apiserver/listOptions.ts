/** The query of a list or watch. Source: apimachinery meta/v1 ListOptions and internalversion/validation. */

import { type FieldError, FieldPath, forbiddenField, invalidObject, notSupported } from "../machinery/fieldErrors.ts";
import {
  exactFieldValue,
  type FieldSelector,
  fieldSelectorMatches,
  parseFieldSelector,
} from "../machinery/fieldSelector.ts";
import {
  EVERYTHING,
  isEverything,
  parseLabelSelector,
  type Selector,
  selectorMatches,
} from "../machinery/labelSelector.ts";
import type { KubeObject } from "../machinery/object.ts";
import { badRequest } from "./errors.ts";
import type { RequestInfo } from "./requestInfo.ts";
import type { Resource } from "./resources.ts";
import type { Scope } from "./store/objectIndex.ts";

export interface ListOptions {
  readonly labels: Selector;
  readonly fields: FieldSelector;
  readonly limit: number;
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

const NO_QUERY = new URLSearchParams();

/** @throws ApiError 400 for what cannot be parsed, 422 for combinations that make no sense. */
export function parseListOptions(
  query: URLSearchParams | undefined,
  resource: Resource,
  { isWatch }: { isWatch: boolean },
): ListOptions {
  const values = query ?? NO_QUERY;
  const sendInitialEvents = values.get("sendInitialEvents");
  const options: ListOptions = {
    labels: parseLabels(values.get("labelSelector") ?? ""),
    fields: parseFields(values.get("fieldSelector") ?? "", resource),
    limit: parseInteger(values.get("limit")) ?? 0,
    continueToken: values.get("continue") ?? "",
    resourceVersion: values.get("resourceVersion") ?? "",
    resourceVersionMatch: values.get("resourceVersionMatch") ?? "",
    allowWatchBookmarks: isTrue(values.get("allowWatchBookmarks")),
    sendInitialEvents: sendInitialEvents === null ? undefined : isTrue(sendInitialEvents),
    timeoutSeconds: parseInteger(values.get("timeoutSeconds")),
  };
  const errors = isWatch ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  return options;
}

/** As Go's conversion of query values to bool: all but these is true. Source: runtime/converter Convert_Slice_string_To_bool. */
export const isTrue = (value: string | null): boolean => value !== null && value !== "false" && value !== "0";

/** Source: runtime/conversion.go Convert_Slice_string_To_int64. @throws ApiError 400 */
export function parseInteger(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^[-+]?\d+$/.test(value)) return Number(value);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function parseLabels(text: string): Selector {
  if (text === "") return EVERYTHING;
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

function parseFields(text: string, { kind, isNamespaced }: Resource): FieldSelector {
  if (text === "") return [];
  const selector = parse(text);
  // Kinds that convert no labels of their own take both, whether they have a namespace or not.
  const hasOwn = Object.keys(kind.fieldSelectors).length > 0;
  for (const { field } of selector) {
    if (field === "metadata.name" || (field === "metadata.namespace" && (isNamespaced || !hasOwn))) continue;
    if (Object.hasOwn(kind.fieldSelectors, field)) continue;
    throw badRequest(
      hasOwn
        ? `field label not supported: ${field}`
        : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
  return selector;
}

function parse(text: string): FieldSelector {
  try {
    return parseFieldSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

const at = (name: string) => new FieldPath(name);

function listErrors(options: ListOptions): FieldError[] {
  const { resourceVersion, resourceVersionMatch: match, continueToken, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined) {
    errors.push(forbiddenField(at("sendInitialEvents"), "sendInitialEvents is forbidden for list"));
  }
  if (match === "") return errors;
  const path = at("resourceVersionMatch");
  if (resourceVersion === "") {
    errors.push(forbiddenField(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
  }
  if (continueToken !== "") {
    errors.push(forbiddenField(path, "resourceVersionMatch is forbidden when continue is provided"));
  }
  if (match !== "Exact" && match !== "NotOlderThan") {
    errors.push(notSupported(path, match, ["Exact", "NotOlderThan", ""]));
  }
  if (match === "Exact" && resourceVersion === "0") {
    errors.push(forbiddenField(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  return errors;
}

function watchErrors({
  sendInitialEvents,
  resourceVersionMatch: match,
  allowWatchBookmarks,
}: ListOptions): FieldError[] {
  const path = at("resourceVersionMatch");
  if (sendInitialEvents === undefined) {
    return match === ""
      ? []
      : [forbiddenField(path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")];
  }
  const errors: FieldError[] = [];
  if (match === "") {
    errors.push(forbiddenField(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  } else if (match !== "NotOlderThan") {
    errors.push(notSupported(path, match, ["NotOlderThan"]));
  }
  if (sendInitialEvents && !allowWatchBookmarks) {
    errors.push(
      forbiddenField(at("allowWatchBookmarks"), "sendInitialEvents requires setting allowWatchBookmarks to true"),
    );
  }
  return errors;
}

/** The part of the index that a request needs to look at. */
export function scopeOf(info: RequestInfo, { fields }: ListOptions, resource: Resource): Scope {
  const namespace = resource.isNamespaced ? namespaceOf(info, fields) : undefined;
  const name = info.name !== "" ? info.name : exactFieldValue(fields, "metadata.name");
  const indexed = fields.find(
    ({ field, operator }) => operator === "=" && Object.hasOwn(resource.kind.fieldSelectors, field),
  );
  const field =
    indexed === undefined || resource.kind.storedAs ? undefined : { name: indexed.field, value: indexed.value };
  return { namespace: !resource.isNamespaced && name !== undefined ? "" : namespace, name, field };
}

const namespaceOf = ({ namespace }: RequestInfo, fields: FieldSelector) =>
  namespace === "" ? exactFieldValue(fields, "metadata.namespace") : namespace;

/** Undefined when everything matches, so that the common case costs nothing. */
export function matcherOf(
  { labels, fields }: ListOptions,
  { namespace, name }: Scope,
  { kind }: Resource,
): ((object: KubeObject) => boolean) | undefined {
  if (isEverything(labels) && fields.length === 0 && (name === undefined || namespace !== undefined)) return undefined;
  const readers: Readonly<Record<string, (object: KubeObject) => string>> = kind.fieldSelectors;
  return (object) => {
    if (name !== undefined && object.metadata.name !== name) return false;
    if (!selectorMatches(labels, object.metadata.labels)) return false;
    return fieldSelectorMatches(fields, (field) => {
      if (field === "metadata.name") return object.metadata.name;
      if (field === "metadata.namespace") return object.metadata.namespace ?? "";
      return readers[field]?.(object) ?? "";
    });
  };
}
