import { describe, expect, test } from "vitest";
import type { Event as CoreEvent, Pod } from "../generated/core-v1.ts";
import { type Change, changed } from "../invalidCases.ts";
import { event } from "./event.ts";
import { pod } from "./pod.ts";

const NOW_MS = Date.UTC(2026, 0, 1, 12, 0, 0);
const at = (secondsAgo: number) => new Date(NOW_MS - secondsAgo * 1000).toISOString();

const BASE = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default" },
  spec: { containers: [{ name: "a", image: "a" }] },
  status: { phase: "Pending" },
};

const container = (state: object, more: object = {}) => ({ name: "a", ready: false, restartCount: 0, state, ...more });
const running = (more: object = {}) => container({ running: {} }, { ready: true, ...more });
const waiting = (reason: string, more: object = {}) => container({ waiting: { reason } }, more);
const ended = (exitCode: number, reason = "", more: object = {}) =>
  container({ terminated: { exitCode, reason } }, more);
const init = (...statuses: object[]): Change => ({
  "spec.initContainers": statuses.map((_, index) => ({ name: `i${index}`, image: "a" })),
  "status.initContainerStatuses": statuses.map((status, index) => ({ ...status, name: `i${index}` })),
});
const main = (...statuses: object[]): Change => ({ "status.containerStatuses": statuses });
const READY: Change = { "status.conditions": [{ type: "Ready", status: "True" }] };
const SIDECAR: Change = { "spec.initContainers": [{ name: "side", image: "a", restartPolicy: "Always" }] };

/** READY, STATUS and RESTARTS of a pod. */
const shown = (change: Change): string => {
  const one = changed(BASE, change) as unknown as Pod;
  return [1, 2, 3].map((index) => pod.columns[index]?.value(one, { nowMs: NOW_MS })).join(" ");
};

describe("the row of a pod", () => {
  test.each<[string, Change, string]>([
    ["waits to be scheduled", {}, "0/1 Pending 0"],
    [
      "is held by a gate",
      { "status.conditions": [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
      "0/1 SchedulingGated 0",
    ],
    ["is being made", main(waiting("ContainerCreating")), "0/1 ContainerCreating 0"],
    ["cannot have its image", main(waiting("ImagePullBackOff")), "0/1 ImagePullBackOff 0"],
    ["runs", { "status.phase": "Running", ...main(running()), ...READY }, "1/1 Running 0"],
    [
      "has been restarted",
      {
        "status.phase": "Running",
        ...main(running({ restartCount: 2, lastState: { terminated: { exitCode: 1, finishedAt: at(14) } } })),
      },
      "1/1 Running 2 (14s ago)",
    ],
    [
      "has been restarted, nobody knows when",
      {
        "status.phase": "Running",
        ...main(running({ restartCount: 2, lastState: { terminated: { exitCode: 137, finishedAt: null } } })),
      },
      "1/1 Running 2",
    ],
    [
      "crashes over and over",
      {
        "status.phase": "Running",
        ...main(
          waiting("CrashLoopBackOff", {
            restartCount: 5,
            lastState: { terminated: { exitCode: 1, finishedAt: at(200) } },
          }),
        ),
      },
      "0/1 CrashLoopBackOff 5 (3m20s ago)",
    ],
    ["was killed for its memory", { "status.phase": "Running", ...main(ended(137, "OOMKilled")) }, "0/1 OOMKilled 0"],
    ["has completed", { "status.phase": "Succeeded", ...main(ended(0, "Completed")) }, "0/1 Completed 0"],
    ["has failed without a reason", { "status.phase": "Failed", ...main(ended(3)) }, "0/1 ExitCode:3 0"],
    ["was ended by a signal", main(container({ terminated: { exitCode: 0, signal: 9 } })), "0/1 Signal:9 0"],
    ["was evicted", { "status.phase": "Failed", "status.reason": "Evicted" }, "0/1 Evicted 0"],
    [
      "has one container that completed while the other runs",
      { "status.phase": "Running", ...main(ended(0, "Completed"), running({ name: "b" })) },
      "1/1 NotReady 0",
    ],
    ["runs its second init container", init(ended(0, "Completed"), container({ running: {} })), "0/1 Init:1/2 0"],
    ["has an init container that fails", init(ended(1, "Error")), "0/1 Init:Error 0"],
    [
      "has an init container that crashes",
      init(waiting("CrashLoopBackOff", { restartCount: 3 })),
      "0/1 Init:CrashLoopBackOff 3",
    ],
    [
      "has a sidecar that is ready",
      {
        ...SIDECAR,
        "status.phase": "Running",
        "status.initContainerStatuses": [{ ...running(), name: "side", started: true }],
        ...main(running()),
      },
      "2/2 Running 0",
    ],
    [
      "is going",
      { "metadata.deletionTimestamp": at(1), "status.phase": "Running", ...main(running()) },
      "1/1 Terminating 0",
    ],
    [
      "is going on a node that is lost",
      { "metadata.deletionTimestamp": at(1), "status.phase": "Running", "status.reason": "NodeLost" },
      "0/1 Unknown 0",
    ],
    [
      "has ended before it was deleted",
      { "metadata.deletionTimestamp": at(1), "status.phase": "Succeeded", ...main(ended(0, "Completed")) },
      "0/1 Completed 0",
    ],
  ])("%s", (_, change, expected) => {
    expect(shown(change)).toBe(expected);
  });

  test("is wider with address, node, nomination and gates", () => {
    const one = changed(BASE, {
      "spec.nodeName": "n1",
      "spec.readinessGates": [{ conditionType: "a" }, { conditionType: "b" }],
      "status.podIPs": [{ ip: "10.0.0.1" }],
      "status.conditions": [{ type: "a", status: "True" }],
    }) as unknown as Pod;
    const cells = pod.columns
      .filter(({ priority }) => priority === 1)
      .map(({ value }) => value(one, { nowMs: NOW_MS }));
    expect(cells).toEqual(["10.0.0.1", "n1", "<none>", "1/2"]);
  });
});

describe("the row of an event", () => {
  const EVENT = {
    metadata: { name: "web.1", namespace: "default" },
    involvedObject: { kind: "Pod", name: "web", fieldPath: "spec.containers{a}" },
    type: "Normal",
    reason: "Pulled",
    message: " pulled ",
    firstTimestamp: at(100),
    lastTimestamp: at(10),
    count: 4,
    source: { component: "kubelet", host: "n1" },
  };
  const cells = (change: Change) => {
    const one = changed(EVENT, change) as unknown as CoreEvent;
    return event.columns.map(({ value }) => value(one, { nowMs: NOW_MS }));
  };

  test("tells when, what and to whom", () => {
    expect(cells({})).toEqual([
      at(10),
      "Normal",
      "Pulled",
      "pod/web",
      "spec.containers{a}",
      "kubelet, n1",
      "pulled",
      at(100),
      4,
      "web.1",
    ]);
  });

  test("a series tells when it was last seen", () => {
    const change = { series: { count: 7, lastObservedTime: at(5) }, count: 0 };
    expect([cells(change)[0], cells(change)[8]]).toEqual([at(5), 7]);
  });

  test("a single event of today's recorders has only an eventTime", () => {
    const change = { firstTimestamp: undefined, lastTimestamp: undefined, count: undefined, eventTime: at(3) };
    expect([cells(change)[0], cells(change)[7], cells(change)[8]]).toEqual([at(3), at(3), 1]);
  });
});

test.each([
  ["Succeeded", "The pod has completed successfully."],
  ["Failed", "The pod failed."],
])("a row of a pod that has %s says so", (phase, message) => {
  const ended = { metadata: { name: "web" }, status: { phase } } as unknown as Pod;
  expect(pod.rowConditions?.(ended)).toEqual([{ type: "Completed", status: "True", reason: phase, message }]);
  expect(pod.rowConditions?.({ ...ended, status: { phase: "Running" } })).toBeUndefined();
});
