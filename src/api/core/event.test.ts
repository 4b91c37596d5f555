import { describe, expect, test } from "vitest";
import { cellsOf } from "../cellsOf.ts";
import { eventsEvent, fromCoreEvent, toCoreEvent } from "../events/eventsEvent.ts";
import type { Event as CoreEvent } from "../generated/core-v1.ts";
import { createErrors, type InvalidCase, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { METADATA_CASES, QUALIFIED_REASON, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { event } from "./event.ts";

const LONG = "x".repeat(129);
const TIME = "2026-01-01T00:00:00Z";

const OLD = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.1", namespace: "default" },
  involvedObject: { kind: "Pod", namespace: "default", name: "web" },
  reason: "Started",
  message: "Started container",
  type: "Normal",
  firstTimestamp: TIME,
  lastTimestamp: TIME,
  count: 1,
  source: { component: "kubelet", host: "node-1" },
};

const NEW = {
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: "web.1", namespace: "default" },
  eventTime: "2026-01-01T00:00:00.000000Z",
  regarding: { kind: "Pod", namespace: "default", name: "web" },
  reason: "Started",
  action: "Starting",
  note: "Started container",
  type: "Normal",
  reportingController: "kubelet",
  reportingInstance: "kubelet-node-1",
};

const MISMATCH = "does not match event.namespace";

/** What both groups ask of an event with a time; `controller` and `note` are where the group has them. */
const timedCases = (controller: string, note: string): readonly InvalidCase[] => [
  [
    "a time but no controller",
    { [controller]: "" },
    `${controller}: Required value`,
    `${controller}: Invalid value: "": name part must be non-empty`,
    `${controller}: Invalid value: "": ${QUALIFIED_REASON}`,
  ],
  ["a controller with a blank", { [controller]: "a b" }, `${controller}: Invalid value: "a b": ${QUALIFIED_REASON}`],
  ["a time but no instance", { reportingInstance: "" }, "reportingInstance: Required value"],
  [
    "a long instance",
    { reportingInstance: LONG },
    'reportingInstance: Invalid value: "": can have at most 128 characters',
  ],
  ["a time but no action", { action: "" }, "action: Required value"],
  ["a long action", { action: LONG }, 'action: Invalid value: "": can have at most 128 characters'],
  ["a time but no reason", { reason: "" }, "reason: Required value"],
  ["a long reason", { reason: LONG }, 'reason: Invalid value: "": can have at most 128 characters'],
  ["a long message", { [note]: "x".repeat(1025) }, 'message: Invalid value: "": can have at most 1024 characters'],
];

describe("core events", () => {
  testInvalidObjects(event, OLD, [
    ...METADATA_CASES,
    ["a name with a slash", { "metadata.name": "a/b" }, "metadata.name: Invalid value: \"a/b\": may not contain '/'"],
    [
      "an object of another namespace",
      { "involvedObject.namespace": "other" },
      `involvedObject.namespace: Invalid value: "other": ${MISMATCH}`,
    ],
    [
      "an object of no namespace, outside default",
      { "metadata.namespace": "kube-system", "involvedObject.namespace": "" },
      `involvedObject.namespace: Invalid value: "": ${MISMATCH}`,
    ],
    [
      "a namespace in capitals",
      { "metadata.namespace": "A", "involvedObject.namespace": "A" },
      "metadata.namespace: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      `namespace: Invalid value: "A": ${SUBDOMAIN_REASON}`,
    ],
  ]);

  const timed = { ...toCoreEvent(NEW as never), type: "Anything" };
  describe("with a time", () => {
    testInvalidObjects(event, timed, [
      ...timedCases("reportingComponent", "message"),
      [
        "an object of no namespace, outside default and kube-system",
        { "metadata.namespace": "apps", "involvedObject.namespace": "" },
        `involvedObject.namespace: Invalid value: "": ${MISMATCH}`,
      ],
    ]);
    test("an object of another namespace is taken", () => {
      const elsewhere = { ...timed, involvedObject: { namespace: "other" } };
      expect(createErrors(event, elsewhere as never)).toEqual([]);
    });
  });

  testUpdates(event, OLD, [
    ["names need not be domains, and nothing is fixed", { message: "other", count: 2, reason: "Other" }],
    ["no reason is needed without a time", { reason: "" }],
  ]);
});

describe("events.k8s.io", () => {
  testInvalidObjects(eventsEvent, NEW, [
    ...METADATA_CASES,
    ...timedCases("reportingController", "note"),
    ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${SUBDOMAIN_REASON}`],
    ["no time", { eventTime: undefined }, "eventTime: Required value"],
    ["an unknown type", { type: "Error" }, 'type: Invalid value: "": has invalid value: Error'],
    [
      "a series of one",
      { series: { count: 1, lastObservedTime: TIME } },
      'series.count: Invalid value: "": should be at least 2',
    ],
    ["a series without a time", { series: { count: 2 } }, "series.lastObservedTime: Required value"],
    ["a first time", { deprecatedFirstTimestamp: TIME }, 'firstTimestamp: Invalid value: "": needs to be unset'],
    ["a last time", { deprecatedLastTimestamp: TIME }, 'lastTimestamp: Invalid value: "": needs to be unset'],
    ["a count", { deprecatedCount: 1 }, 'count: Invalid value: "": needs to be unset'],
    ["a source", { deprecatedSource: { host: "a" } }, 'source: Invalid value: "": needs to be unset'],
  ]);

  testUpdates(eventsEvent, NEW, [
    ["a series may begin", { series: { count: 2, lastObservedTime: TIME } }],
    [
      "a series begins with two",
      { series: { count: 1, lastObservedTime: TIME } },
      'series.count: Invalid value: "": should be at least 2',
    ],
    [
      "the object may not change",
      { "regarding.name": "other" },
      'involvedObject: Invalid value: {"Kind":"Pod","Namespace":"default","Name":"other","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}: field is immutable',
    ],
    ["the note may not change", { note: "other" }, 'message: Invalid value: "other": field is immutable'],
    ["the type may not change", { type: "Warning" }, 'type: Invalid value: "Warning": field is immutable'],
    ["the action may not change", { action: "b" }, 'action: Invalid value: "b": field is immutable'],
    ["a count may not be added", { deprecatedCount: 3 }, "count: Invalid value: 3: field is immutable"],
    [
      "a source may not be added",
      { "deprecatedSource.component": "a" },
      'source: Invalid value: {"Component":"a","Host":""}: field is immutable',
    ],
    [
      "the controller may not change",
      { reportingController: "b" },
      'reportingController: Invalid value: "b": field is immutable',
    ],
  ]);

  test("an event is the same in both groups, there and back", () => {
    const there = toCoreEvent(NEW as never);
    expect(fromCoreEvent(there)).toEqual(NEW);
    expect(toCoreEvent(fromCoreEvent(OLD as unknown as CoreEvent))).toEqual(OLD);
  });
});

describe("columns of events", () => {
  test("an old event shows its times, count and source", () => {
    expect(cellsOf(event, { ...OLD, count: 3 })).toEqual({
      "Last Seen": TIME,
      Type: "Normal",
      Reason: "Started",
      Object: "pod/web",
      Subobject: "",
      Source: "kubelet, node-1",
      Message: "Started container",
      "First Seen": TIME,
      Count: 3,
      Name: "web.1",
    });
  });

  test("a new event shows its series, in either group", () => {
    const series = { count: 5, lastObservedTime: "2026-01-01T01:00:00Z" };
    const cells = cellsOf(eventsEvent, { ...NEW, series });
    expect(cells).toMatchObject({
      "Last Seen": series.lastObservedTime,
      "First Seen": NEW.eventTime,
      Source: "kubelet, kubelet-node-1",
      Count: 5,
    });
    expect(cellsOf(event, toCoreEvent({ ...NEW, series } as never))).toEqual(cells);
  });
});
