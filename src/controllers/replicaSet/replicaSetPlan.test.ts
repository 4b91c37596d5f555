import { describe, expect, it } from "vitest";
import type { ReplicaSet } from "../../api/generated/apps-v1.ts";
import { NOTATION_NOW_MS, podsFrom } from "../pods/podNotation.ts";
import { plan, type ReplicaSetAction } from "./replicaSetPlan.ts";
import { replicaSetStatus } from "./replicaSetStatus.ts";

const setOf = (replicas: number, more: Partial<ReplicaSet["spec"]> = {}): ReplicaSet => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { name: "a", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "", generation: 4 },
  spec: { replicas, selector: { matchLabels: { app: "a" } }, ...more },
  status: { replicas: 0 },
});

const shown = (actions: readonly ReplicaSetAction[]): string => {
  const [first] = actions;
  if (first?.do === "create-pods") return `create×${first.count}`;
  return actions.map((action) => (action.do === "delete-pod" ? `delete:${action.pod.metadata.name}` : "")).join(" ");
};

const cases: { name: string; replicas: number; pods: string; related?: string; want: string }[] = [
  { name: "makes what is missing", replicas: 3, pods: "a@n1", want: "create×2" },
  { name: "makes no more than 500 at once", replicas: 900, pods: "", want: "create×500" },
  { name: "is content with what is asked for", replicas: 2, pods: "a@n1+ b", want: "" },
  { name: "a dying pod does not count", replicas: 1, pods: "a@n1!", want: "create×1" },
  { name: "a failed pod does not count", replicas: 1, pods: "a@n1#", want: "create×1" },
  { name: "drops unscheduled pods first", replicas: 1, pods: "a@n1 b", want: "delete:b" },
  {
    name: "drops a pending before an unknown before a running pod",
    replicas: 0,
    pods: "a@n1 b@n1~ c@n1?",
    want: "delete:c delete:b delete:a",
  },
  { name: "drops one that is not ready before one that is", replicas: 1, pods: "a@n1+ b@n1", want: "delete:b" },
  { name: "drops the cheaper before the dearer", replicas: 1, pods: "a@n1+ b@n1+$-5", want: "delete:b" },
  { name: "asks for readiness before cost", replicas: 1, pods: "a@n1$9 b@n1+$-5", want: "delete:a" },
  {
    name: "drops one on the fuller node",
    replicas: 2,
    pods: "a@n1+ b@n2+ c@n2+",
    related: "a@n1+ b@n2+ c@n2+",
    want: "delete:b",
  },
  {
    name: "counts the pods of sibling sets on a node",
    replicas: 1,
    pods: "a@n1+ b@n2+",
    related: "a@n1+ b@n2+ x@n1+",
    want: "delete:a",
  },
  { name: "drops the one that became ready last", replicas: 1, pods: "a@n1%1000 b@n1%1", want: "delete:b" },
  {
    name: "takes ages of one magnitude for equal and goes by uid",
    replicas: 1,
    pods: "b@n1%50 a@n1%51",
    want: "delete:a",
  },
  { name: "drops the one that restarted more", replicas: 1, pods: "a@n1+*1 b@n1+*7", want: "delete:b" },
  { name: "drops the youngest", replicas: 1, pods: "a@n1^1000 b@n1^1", want: "delete:b" },
];

describe("a ReplicaSet", () => {
  it.each(cases)("$name", ({ replicas, pods, related = "", want }) => {
    const observed = {
      set: setOf(replicas),
      pods: podsFrom(pods),
      relatedPods: () => podsFrom(related),
      nowMs: NOTATION_NOW_MS,
    };
    expect(shown(plan(observed))).toBe(want);
  });

  it("that is being deleted makes and deletes nothing", () => {
    const set = setOf(3);
    const going = { ...set, metadata: { ...set.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    expect(plan({ set: going, pods: [], relatedPods: () => [], nowMs: NOTATION_NOW_MS })).toEqual([]);
  });
});

describe("the status of a ReplicaSet", () => {
  const nowMs = NOTATION_NOW_MS;
  it("counts pods that are there, ready, available and dying", () => {
    const pods = podsFrom("a@n1%50 b@n1%5 c@n1 d@n1+! e@n1#");
    expect(replicaSetStatus({ set: setOf(3, { minReadySeconds: 10 }), pods, failure: undefined, nowMs })).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 1,
      observedGeneration: 4,
    });
  });

  it("tells that pods cannot be made, and takes it back", () => {
    const set = setOf(1);
    const failure = { reason: "FailedCreate" as const, message: "quota" };
    const failed = replicaSetStatus({ set, pods: [], failure, nowMs });
    expect(failed.conditions).toMatchObject([{ type: "ReplicaFailure", status: "True", message: "quota" }]);
    const mended = replicaSetStatus({ set: { ...set, status: failed }, pods: [], failure: undefined, nowMs });
    expect(mended.conditions).toBeUndefined();
  });
});
