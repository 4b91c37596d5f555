import { describe, expect, test } from "vitest";
import type { PriorityClass } from "../generated/scheduling-v1.ts";
import { testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { CLUSTER_CASES, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { priorityClass } from "./priorityClass.ts";

const BASE = {
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  metadata: { name: "high" },
  value: 1000,
};
const RESERVED =
  "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ";

describe("priority classes", () => {
  testInvalidObjects(priorityClass, BASE, [
    ...CLUSTER_CASES,
    ["a name in capitals", { "metadata.name": "High" }, `metadata.name: Invalid value: "High": ${SUBDOMAIN_REASON}`],
    [
      "a value above those of users",
      { value: 1_000_000_001 },
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ],
    [
      "a system's name",
      { "metadata.name": "system-mine" },
      `${RESERVED}system-mine is not a known system priority class`,
    ],
    [
      "a system class of another value",
      { "metadata.name": "system-node-critical" },
      `${RESERVED}value of system-node-critical PriorityClass must be 2000001000`,
    ],
    [
      "a system class as the default",
      { "metadata.name": "system-cluster-critical", value: 2_000_000_000, globalDefault: true },
      `${RESERVED}globalDefault of system-cluster-critical PriorityClass must be false`,
    ],
    [
      "an empty preemption policy, which is no missing one",
      { preemptionPolicy: "" },
      "preemptionPolicy: Required value",
    ],
    [
      "an unknown preemption policy",
      { preemptionPolicy: "Always" },
      'preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
    ],
  ]);
  testUpdates(priorityClass, BASE, [
    ["the description may change", { description: "new" }],
    ["the value may not change", { value: 1 }, "value: Forbidden: may not be changed in an update."],
    [
      "the preemption policy may not change",
      { preemptionPolicy: "Never" },
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ],
  ]);

  test("preempts by default", () => {
    expect(priorityClass.withDefaults(BASE as unknown as PriorityClass).preemptionPolicy).toBe("PreemptLowerPriority");
  });
});

test("a priority class is of generation 1 for good", () => {
  const made = priorityClass.prepareForCreate(BASE as unknown as PriorityClass, {
    nowMs: 0,
    subresource: "",
    user: { name: "a", groups: [] },
  });
  expect(made.metadata.generation).toBe(1);
});
