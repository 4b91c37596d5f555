import { describe, expect, it } from "vitest";
import type { Lease } from "../api/generated/coordination-v1.ts";
import { type Election, type ElectionEvent, initialElection, LEASE_TIMES, step } from "./election.ts";

const lease = (holder: string, version: number): Lease => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "l", uid: "u", resourceVersion: `${version}`, creationTimestamp: "" },
  spec: { holderIdentity: holder, leaseDurationSeconds: 15, leaseTransitions: 3, acquireTime: "2026-01-01T00:00:00Z" },
});

/** Plays events at times in seconds; shows each effect in a word and the phase. */
function play(events: readonly [seconds: number, event: ElectionEvent][]): string[] {
  let state: Election = initialElection("me", LEASE_TIMES);
  return events.map(([seconds, event]) => {
    const next = step(state, event, { nowMs: seconds * 1000, monotonicMs: seconds * 1000 });
    state = next.state;
    const { effect } = next;
    const what =
      effect.do === "write"
        ? `write ${effect.spec.holderIdentity || "nobody"} ${effect.spec.leaseTransitions}`
        : effect.do;
    return `${what} ${state.phase}`;
  });
}

const cases: { name: string; events: [number, ElectionEvent][]; want: string[] }[] = [
  {
    name: "takes a lease that nobody has made, and renews it without reading",
    events: [
      [0, { type: "woken" }],
      [0, { type: "read", lease: undefined }],
      [0, { type: "written", lease: lease("me", 1) }],
      [2, { type: "woken" }],
    ],
    want: ["read standing", "write me 0 standing", "wait leading", "write me 3 leading"],
  },
  {
    name: "waits until another's lease has not changed for its duration, then counts a transition",
    events: [
      [0, { type: "read", lease: lease("other", 1) }],
      [14, { type: "read", lease: lease("other", 2) }],
      [28, { type: "read", lease: lease("other", 2) }],
      [29, { type: "read", lease: lease("other", 2) }],
    ],
    want: ["wait standing", "wait standing", "wait standing", "write me 4 standing"],
  },
  {
    name: "takes a lease that was given up at once",
    events: [[0, { type: "read", lease: lease("", 1) }]],
    want: ["write me 4 standing"],
  },
  {
    name: "gives up when it could not renew for ten seconds",
    events: [
      [0, { type: "written", lease: lease("me", 1) }],
      [2, { type: "failed" }],
      [2, { type: "failed" }],
      [4, { type: "failed" }],
      [10, { type: "failed" }],
    ],
    want: ["wait leading", "read leading", "wait leading", "read leading", "end over"],
  },
  {
    name: "stops leading when it sees that another leads",
    events: [
      [0, { type: "written", lease: lease("me", 1) }],
      [2, { type: "failed" }],
      [2, { type: "read", lease: lease("other", 2) }],
    ],
    want: ["wait leading", "read leading", "end over"],
  },
  {
    name: "gives the lease up when stopped",
    events: [
      [0, { type: "written", lease: lease("me", 1) }],
      [1, { type: "stopped" }],
      [1, { type: "written", lease: lease("", 2) }],
    ],
    want: ["wait leading", "write nobody 3 releasing", "end over"],
  },
];

describe("a candidate", () => {
  it.each(cases)("$name", ({ events, want }) => {
    expect(play(events)).toEqual(want);
  });
});
