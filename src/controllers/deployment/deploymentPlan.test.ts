import { describe, expect, it } from "vitest";
import type { Deployment, ReplicaSet } from "../../api/generated/apps-v1.ts";
import { NOTATION_NOW_MS } from "../pods/podNotation.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS, REVISION } from "./deploymentNames.ts";
import { type DeploymentAction, plan } from "./deploymentPlan.ts";

const meta = { namespace: "default", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
const template = (image: string) => ({
  metadata: { labels: { app: "a" } } as never,
  spec: { containers: [{ name: "c", image }] },
});

interface Shape {
  replicas: number;
  surge?: string | number;
  unavailable?: string | number;
  recreate?: boolean;
  paused?: boolean;
  historyMax?: number;
}

const deploymentOf = (shape: Shape): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { ...meta, name: "d", uid: "d", generation: 1 },
  spec: {
    replicas: shape.replicas,
    selector: { matchLabels: { app: "a" } },
    template: template("v9"),
    paused: shape.paused ?? false,
    ...(shape.historyMax !== undefined && { revisionHistoryLimit: shape.historyMax }),
    strategy: shape.recreate
      ? { type: "Recreate" }
      : {
          type: "RollingUpdate",
          rollingUpdate: { maxSurge: shape.surge ?? 1, maxUnavailable: shape.unavailable ?? 0 },
        },
  },
  status: {},
});

/** "v1:3/2" is the set of image v1 with 3 pods, of which 2 are available; "v1:3/2(4,5)" was scaled for 4, at most 5. */
function setsFrom(text: string, { replicas, surge = 1 }: Shape): readonly ReplicaSet[] {
  const words = text.split(" ").filter((word) => word !== "");
  return words.map((word, index) => {
    const [, image = "", size, available, desired, max] = /^(v\d+):(\d+)\/(\d+)(?:\((\d+),(\d+)\))?$/.exec(word) ?? [];
    return {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        ...meta,
        name: `d-${image}`,
        uid: image,
        generation: 1,
        creationTimestamp: `2026-01-01T00:00:0${index}Z`,
        annotations: {
          [REVISION]: `${index + 1}`,
          [DESIRED_REPLICAS]: desired ?? `${replicas}`,
          [MAX_REPLICAS]: max ?? `${replicas + Number(surge)}`,
        },
      },
      spec: { replicas: Number(size), selector: {}, template: template(image) },
      status: { replicas: Number(size), availableReplicas: Number(available), observedGeneration: 1 },
    };
  });
}

const shown = (actions: readonly DeploymentAction[]): string =>
  actions
    .map((action) => {
      if (action.do === "create-set") return `new→${action.set.spec?.replicas}`;
      if (action.do === "delete-set") return `delete:${action.set.metadata.uid}`;
      if (action.do !== "update-set" || action.previousReplicas === action.set.spec.replicas) return "";
      return `${action.set.metadata.uid}→${action.set.spec.replicas}`;
    })
    .filter((word) => word !== "")
    .join(" ");

const cases: (Shape & { name: string; sets: string; want: string })[] = [
  { name: "begins with a set of all its pods", replicas: 3, sets: "", want: "new→3" },
  { name: "begins a rollout with as many as the surge allows", replicas: 3, sets: "v1:3/3", want: "new→1" },
  {
    name: "begins with none where there is no surge",
    replicas: 3,
    surge: 0,
    unavailable: 1,
    sets: "v1:3/3",
    want: "v1→2 new→0",
  },
  {
    name: "takes 25 % as 2 up for 5",
    replicas: 5,
    surge: "25%",
    unavailable: "25%",
    sets: "v1:5/5",
    want: "v1→4 new→2",
  },
  { name: "waits while the new pod is not available", replicas: 3, sets: "v1:3/3 v9:1/0", want: "" },
  { name: "takes one old pod for each new available one", replicas: 3, sets: "v1:3/3 v9:1/1", want: "v1→2" },
  { name: "grows into the room that old pods left", replicas: 3, sets: "v1:2/2 v9:1/1", want: "v9→2" },
  { name: "takes the last old pod", replicas: 3, sets: "v1:1/1 v9:3/3", want: "v1→0" },
  { name: "drops old pods that are not available at once", replicas: 3, surge: 2, sets: "v1:3/1 v9:2/2", want: "v1→1" },
  { name: "takes from the oldest set first", replicas: 3, sets: "v1:1/1 v2:2/2 v9:1/1", want: "v1→0" },
  { name: "lets the new set have no more than is asked for", replicas: 2, sets: "v9:4/4", want: "v9→2" },
  { name: "scales its only set", replicas: 5, sets: "v9:3/3(3,4)", want: "v9→5" },
  {
    name: "shares a change out in proportion during a rollout",
    replicas: 10,
    surge: 3,
    sets: "v1:4/4(5,8) v9:4/0(5,8)",
    want: "v1→6 v9→7",
  },
  {
    name: "shares a reduction out in proportion",
    replicas: 5,
    surge: 3,
    sets: "v1:8/8(10,13) v9:5/5(10,13)",
    want: "v1→5 v9→3",
  },
  { name: "recreating gives up all old pods first", replicas: 3, recreate: true, sets: "v1:3/3", want: "v1→0" },
  {
    name: "recreating makes the new set once none is left",
    replicas: 3,
    recreate: true,
    sets: "v1:0/0",
    want: "new→3",
  },
  { name: "paused makes no new set", replicas: 3, paused: true, sets: "v1:3/3", want: "" },
  { name: "paused follows a change of size", replicas: 5, paused: true, sets: "v1:3/3(3,4)", want: "v1→5" },
];

describe("a Deployment", () => {
  it.each(cases)("$name", ({ sets, want, ...shape }) => {
    const deployment = deploymentOf(shape);
    expect(shown(plan({ deployment, sets: setsFrom(sets, shape), pods: [], nowMs: NOTATION_NOW_MS }))).toBe(want);
  });

  it("that is complete drops the oldest empty sets beyond its limit", () => {
    const shape = { replicas: 2, historyMax: 1 };
    const status = { updatedReplicas: 2, replicas: 2, availableReplicas: 2, observedGeneration: 1 };
    const deployment = { ...deploymentOf(shape), status };
    const sets = setsFrom("v1:0/0 v2:0/0 v3:0/0 v9:2/2", shape);
    expect(shown(plan({ deployment, sets, pods: [], nowMs: NOTATION_NOW_MS }))).toBe("delete:v1 delete:v2");
  });

  it("plans the same for the same", () => {
    const shape = { replicas: 3 };
    const observed = {
      deployment: deploymentOf(shape),
      sets: setsFrom("v1:3/3", shape),
      pods: [],
      nowMs: NOTATION_NOW_MS,
    };
    expect(plan(observed)).toEqual(plan(observed));
  });
});
