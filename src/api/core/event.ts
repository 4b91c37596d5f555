import { defineKind } from "../../machinery/defineKind.ts";
import { pathSegmentReasons } from "../../machinery/names.ts";
import type { Event, ObjectReference } from "../generated/core-v1.ts";
import { eventColumns } from "./eventColumns.ts";
import { validateCoreEvent } from "./eventValidation.ts";

/** How long an event is kept. Source: kube-apiserver --event-ttl. */
export const EVENT_TTL_SECONDS = 3600;

const involved = (field: keyof ObjectReference) => (event: Event) => event.involvedObject?.[field] ?? "";

/** Source: registry/core/event strategy.go, ToSelectableFields. */
const eventFieldSelectors = {
  "involvedObject.kind": involved("kind"),
  "involvedObject.namespace": involved("namespace"),
  "involvedObject.name": involved("name"),
  "involvedObject.uid": involved("uid"),
  "involvedObject.apiVersion": involved("apiVersion"),
  "involvedObject.resourceVersion": involved("resourceVersion"),
  "involvedObject.fieldPath": involved("fieldPath"),
  reason: (event: Event) => event.reason ?? "",
  reportingComponent: (event: Event) => event.reportingComponent ?? "",
  source: (event: Event) => event.source?.component || event.reportingComponent || "",
  type: (event: Event) => event.type ?? "",
};

/** Something that happened to an object. */
export const event = defineKind<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  scope: "Namespaced",
  ttlSeconds: EVENT_TTL_SECONDS,
  fieldSelectors: eventFieldSelectors,
  createOnUpdate: true,
  columns: eventColumns,
  // Only what fits into a path is asked of names. Source: registry/rest BeforeCreate.
  validateName: pathSegmentReasons,
  validate: (event) => validateCoreEvent(event, "reportingComponent"),
});
