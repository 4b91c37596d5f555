import { expect, test } from "vitest";
import { statusPatch } from "./statusPatch.ts";

const ready = { type: "Ready", status: "True" };

test.each([
  {
    name: "the same needs nothing",
    known: { phase: "Running", conditions: [ready] },
    wanted: { phase: "Running", conditions: [ready] },
    want: undefined,
  },
  {
    name: "others' conditions stay",
    known: { conditions: [{ type: "lb", status: "True" }, ready] },
    wanted: { conditions: [ready] },
    want: undefined,
  },
  {
    name: "only what changed",
    known: { phase: "Pending", qosClass: "BestEffort" },
    wanted: { phase: "Running", qosClass: "BestEffort" },
    want: { phase: "Running" },
  },
  {
    name: "a reason that is over is taken away",
    known: { conditions: [{ ...ready, status: "False", reason: "X", message: "y" }], reason: "Z" },
    wanted: { conditions: [ready] },
    want: { conditions: [{ ...ready, reason: null, message: null }], reason: null },
  },
  {
    name: "an address that changed names the old one",
    known: { podIPs: [{ ip: "10.0.0.1" }] },
    wanted: { podIPs: [{ ip: "10.0.0.2" }] },
    want: { podIPs: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1", $patch: "delete" }] },
  },
])("$name", ({ known, wanted, want }) => {
  expect(statusPatch(known, wanted)).toEqual(want);
});
