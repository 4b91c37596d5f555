import { defineKind } from "../../machinery/defineKind.ts";
import type { FieldError } from "../../machinery/fieldErrors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { EVENT_TTL_SECONDS } from "../core/event.ts";
import { eventColumns } from "../core/eventColumns.ts";
import { validateCoreEvent, validateEventUpdate, validateNewEvent } from "../core/eventValidation.ts";
import type { Event as CoreEvent, ObjectReference } from "../generated/core-v1.ts";
import type { Event } from "../generated/events-v1.ts";

/** Drops what is undefined, so that the two forms of an event are equal when they say the same. */
function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** Source: apis/events/v1/conversion.go. */
export function toCoreEvent(event: Event): CoreEvent {
  const { note, regarding, deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, ...rest } = event;
  const { deprecatedCount, reportingController, ...same } = rest;
  return compact({
    ...same,
    apiVersion: "v1",
    kind: "Event",
    involvedObject: regarding ?? {},
    message: note,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
    reportingComponent: reportingController,
  });
}

/** The opposite of `toCoreEvent`. */
export function fromCoreEvent(event: CoreEvent): Event {
  const { message, involvedObject, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...same } = event;
  return compact({
    ...same,
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    regarding: involvedObject,
    note: message,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
    reportingController: reportingComponent,
  }) as Event;
}

/** An event that is not stored yet has no resourceVersion. */
function validate(event: Event): FieldError[] {
  const stored = toCoreEvent(event);
  return [
    ...validateCoreEvent(stored, "reportingController"),
    ...(event.metadata.resourceVersion ? [] : validateNewEvent(stored)),
  ];
}

const regarding = (field: keyof ObjectReference) => (event: Event) => event.regarding?.[field] ?? "";

/** The same events as core/v1's, in the newer form. */
export const eventsEvent = defineKind<Event>({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  scope: "Namespaced",
  ttlSeconds: EVENT_TTL_SECONDS,
  createOnUpdate: true,
  storedAs: {
    group: "",
    version: "v1",
    kind: "Event",
    toStored: toCoreEvent,
    fromStored: (stored: KubeObject) => fromCoreEvent(stored as CoreEvent),
  },
  fieldSelectors: {
    reason: (event) => event.reason ?? "",
    "regarding.kind": regarding("kind"),
    "regarding.namespace": regarding("namespace"),
    "regarding.name": regarding("name"),
    "regarding.uid": regarding("uid"),
    "regarding.apiVersion": regarding("apiVersion"),
    "regarding.resourceVersion": regarding("resourceVersion"),
    "regarding.fieldPath": regarding("fieldPath"),
    reportingController: (event) => event.reportingController ?? "",
    type: (event) => event.type ?? "",
  },
  validate,
  validateUpdate: (next, previous) => validateEventUpdate(toCoreEvent(next), toCoreEvent(previous)),
  columns: eventColumns.map((column) => ({
    ...column,
    value: (event: Event, context) => column.value(toCoreEvent(event), context),
  })),
});
