import { describe, expect, test } from "vitest";
import { cellsOf } from "../cellsOf.ts";
import type { Lease } from "../generated/coordination-v1.ts";
import { changed, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { NAMESPACED_CASES, QUALIFIED_REASON, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { lease } from "./lease.ts";

const BASE = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "scheduler", namespace: "kube-system", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { holderIdentity: "a", leaseDurationSeconds: 15, leaseTransitions: 0 },
};
const CONTEXT = { nowMs: 0, subresource: "", user: { name: "tester", groups: [] } };

describe("leases", () => {
  testInvalidObjects(lease, BASE, [
    ...NAMESPACED_CASES,
    ["a name in capitals", { "metadata.name": "A" }, `metadata.name: Invalid value: "A": ${SUBDOMAIN_REASON}`],
    [
      "a duration of 0",
      { "spec.leaseDurationSeconds": 0 },
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    ],
    [
      "negative transitions",
      { "spec.leaseTransitions": -1 },
      "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      "an unknown strategy",
      { "spec.strategy": "Newest" },
      'spec.strategy.strategy: Unsupported value: "Newest": supported values: "OldestEmulationVersion"',
    ],
    [
      "a strategy of one's own, badly named",
      { "spec.strategy": "example.com/a b" },
      `spec.strategy.strategy: Invalid value: "example.com/a b": ${QUALIFIED_REASON}`,
    ],
    [
      "a preferred holder without a strategy",
      { "spec.preferredHolder": "b" },
      "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined",
    ],
  ]);
  testUpdates(lease, BASE, [
    ["the holder may change", { "spec.holderIdentity": "b", "spec.leaseTransitions": 1 }],
    ["transitions may go down", { "spec.leaseTransitions": 0 }],
    ["nothing need be said", { spec: undefined }],
    [
      "the duration stays positive",
      { "spec.leaseDurationSeconds": -5 },
      "spec.leaseDurationSeconds: Invalid value: -5: must be greater than 0",
    ],
  ]);

  test("coordinated election is dropped, and kept where it is stored", () => {
    const plain = BASE as unknown as Lease;
    const coordinated = changed(plain, { "spec.strategy": "OldestEmulationVersion", "spec.preferredHolder": "b" });
    expect(lease.prepareForCreate(coordinated, CONTEXT)).toEqual(plain);
    expect(lease.prepareForCreate(plain, CONTEXT)).toBe(plain);
    expect(lease.prepareForUpdate(coordinated, plain, CONTEXT)).toEqual(plain);
    expect(lease.prepareForUpdate(coordinated, coordinated, CONTEXT)).toBe(coordinated);
  });

  test("nothing is filled in", () => {
    expect(lease.withDefaults(BASE as unknown as Lease)).toBe(BASE);
  });

  test("the table shows who holds it", () => {
    const { creationTimestamp } = BASE.metadata;
    expect(cellsOf(lease, BASE)).toEqual({ Name: "scheduler", Holder: "a", Age: creationTimestamp });
    expect(cellsOf(lease, { metadata: BASE.metadata })).toMatchObject({ Holder: "" });
  });
});
