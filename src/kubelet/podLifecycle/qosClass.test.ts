import { expect, test } from "vitest";
import type { ResourceRequirements } from "../../api/generated/core-v1.ts";
import { qosClassOf } from "./qosClass.ts";
import { testPod } from "./testPods.ts";

const both = { cpu: "1", memory: "1Gi" };

test.each([
  { name: "nothing asked", resources: {}, want: "BestEffort" },
  { name: "a request", resources: { requests: { cpu: "1" } }, want: "Burstable" },
  { name: "a limit", resources: { limits: { memory: "1Gi" }, requests: { memory: "1Gi" } }, want: "Burstable" },
  {
    name: "all limits, equal to the requests",
    resources: { limits: both, requests: { cpu: "1000m", memory: "1Gi" } },
    want: "Guaranteed",
  },
  {
    name: "limits above the requests",
    resources: { limits: both, requests: { cpu: "500m", memory: "1Gi" } },
    want: "Burstable",
  },
  { name: "zero counts as nothing", resources: { requests: { cpu: "0" } }, want: "BestEffort" },
  { name: "other resources do not count", resources: { requests: { "ephemeral-storage": "1Gi" } }, want: "BestEffort" },
])("$name: $want", ({ resources, want }) => {
  expect(
    qosClassOf(testPod({ containers: [{ name: "app", image: "a", resources: resources as ResourceRequirements }] })),
  ).toBe(want);
});
