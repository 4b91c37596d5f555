/**
 * Checks of events. core/v1 holds them to little, as old clients expect; events.k8s.io/v1 to more. Both see the stored
 * form, so that paths are core/v1's under either group. Source: core/validation/events.go (v1.36).
 */
import { deepEqual } from "../../machinery/deepEqual.ts";
import { type FieldError, FieldPath, invalid, required } from "../../machinery/fieldErrors.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { needed, qualifiedName, subdomain } from "../checks.ts";
import type { Event, ObjectReference } from "../generated/core-v1.ts";

/** In bytes. Source: ReportingInstanceLengthLimit, ActionLengthLimit, ReasonLengthLimit. */
const TEXT_BYTES_MAX = 128;
/** Source: NoteLengthLimit. */
const MESSAGE_BYTES_MAX = 1024;

const path = (...names: string[]) => new FieldPath().at(...names);

function tooLong(field: string, value: string, bytesMax: number): FieldError[] {
  if (Buffer.byteLength(value) <= bytesMax) return [];
  return [invalid(path(field), "", `can have at most ${bytesMax} characters`)];
}

function namespaceErrors({ metadata: { namespace = "" }, involvedObject, eventTime }: Event): FieldError[] {
  const involved = involvedObject?.namespace ?? "";
  const ofCluster = eventTime ? ["default", "kube-system"] : ["", "default"];
  const fits = involved === "" ? ofCluster.includes(namespace) : Boolean(eventTime) || involved === namespace;
  if (fits) return [];
  return [invalid(path("involvedObject", "namespace"), involved, "does not match event.namespace")];
}

/** Events with a time name who says what was done. */
function timedErrors(event: Event, controllerField: string): FieldError[] {
  const { reportingComponent: controller = "", reportingInstance = "", action = "", reason = "", message = "" } = event;
  const controllerPath = path(controllerField);
  return [
    ...needed(controllerPath, controller),
    ...qualifiedName(controllerPath, controller),
    ...Object.entries({ reportingInstance, action, reason }).flatMap(([field, value]) => [
      ...needed(path(field), value),
      ...tooLong(field, value, TEXT_BYTES_MAX),
    ]),
    ...tooLong("message", message, MESSAGE_BYTES_MAX),
  ];
}

/** The reporting controller is called what the request's version calls it. Source: legacyValidateEvent. */
export const validateCoreEvent = (event: Event, controllerField: string): FieldError[] => [
  ...namespaceErrors(event),
  ...(event.eventTime ? timedErrors(event, controllerField) : []),
  ...subdomain(path("namespace"), event.metadata.namespace ?? ""),
];

/** Source: validateV1EventSeries. */
function seriesErrors({ series }: Event): FieldError[] {
  if (series === undefined) return [];
  const errors = (series.count ?? 0) < 2 ? [invalid(path("series", "count"), "", "should be at least 2")] : [];
  return [...errors, ...needed(path("series", "lastObservedTime"), series.lastObservedTime)];
}

/** What a new event in events.k8s.io/v1 is held to beside `validateCoreEvent`. Source: ValidateEventCreate. */
export function validateNewEvent(event: Event): FieldError[] {
  const { type = "", firstTimestamp, lastTimestamp, count, source } = event;
  const errors = seriesErrors(event);
  if (!event.eventTime) errors.push(required(path("eventTime")));
  if (type !== "Normal" && type !== "Warning") errors.push(invalid(path("type"), "", `has invalid value: ${type}`));
  const old = { firstTimestamp, lastTimestamp, count, source: source?.component || source?.host };
  for (const [field, value] of Object.entries(old)) {
    if (value) errors.push(invalid(path(field), "", "needs to be unset"));
  }
  return errors;
}

/** As Go prints the internal form, which has no names of its own for JSON. */
const goReference = (reference: ObjectReference) => ({
  Kind: reference.kind ?? "",
  Namespace: reference.namespace ?? "",
  Name: reference.name ?? "",
  UID: reference.uid ?? "",
  APIVersion: reference.apiVersion ?? "",
  ResourceVersion: reference.resourceVersion ?? "",
  FieldPath: reference.fieldPath ?? "",
});

/** Every field that never changes, by its name in errors, as Go prints it. Source: ValidateEventUpdate. */
const fixedFields = (event: Event): readonly (readonly [string, unknown])[] => [
  ["involvedObject", goReference(event.involvedObject ?? {})],
  ["reason", event.reason ?? ""],
  ["message", event.message ?? ""],
  ["source", { Component: event.source?.component ?? "", Host: event.source?.host ?? "" }],
  ["firstTimestamp", event.firstTimestamp],
  ["lastTimestamp", event.lastTimestamp],
  ["count", event.count ?? 0],
  ["type", event.type ?? ""],
  ["eventTime", event.eventTime],
  ["action", event.action ?? ""],
  ["related", event.related && goReference(event.related)],
  ["reportingController", event.reportingComponent ?? ""],
  ["reportingInstance", event.reportingInstance ?? ""],
];

/** What a change in events.k8s.io/v1 is held to: only the series may go on. */
export function validateEventUpdate(next: Event, previous: Event): FieldError[] {
  const before = fixedFields(previous);
  return [
    ...(deepEqual(next.series, previous.series) ? [] : seriesErrors(next)),
    ...fixedFields(next).flatMap(([field, value], index) => validateImmutable(value, before[index]?.[1], path(field))),
  ];
}
