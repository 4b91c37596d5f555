import { describe, expect, test } from "vitest";
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { seededRandom } from "../lib/random.ts";
import { MutableNodeInfo } from "./nodeInfo.ts";
import { type Plan, plan } from "./plan.ts";
import { plugins } from "./plugins/index.ts";
import { clusterOf } from "./testing/clusterOf.ts";

let uids = 0;
const pod = (spec: object = {}): Pod =>
  ({
    metadata: { name: "p", namespace: "default", uid: `u${uids++}` },
    spec: { containers: [{ name: "c" }], ...spec },
    status: {},
  }) as unknown as Pod;
const asking = (cpu: string, memory = "0") => ({
  containers: [{ name: "c", resources: { requests: { cpu, memory } } }],
});

/** "n1 cpu=2 zone=a taint=k:NoSchedule cordoned": one node in one line. */
function node(text: string, pods: readonly Pod[] = []): MutableNodeInfo {
  const [name = "", ...words] = text.split(" ");
  const value = (key: string, fallback: string) =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? fallback;
  const [taintKey, effect] = value("taint", "").split(":");
  const info = new MutableNodeInfo({
    metadata: { name, labels: { zone: value("zone", "") } },
    spec: {
      unschedulable: words.includes("cordoned"),
      taints: taintKey === "" ? [] : [{ key: taintKey, effect }],
    },
    status: { allocatable: { cpu: value("cpu", "4"), memory: value("memory", "8Gi"), pods: value("pods", "110") } },
  } as unknown as Node);
  for (const one of pods) info.addPod(one);
  return info;
}

const decide = (candidate: Pod, nodes: readonly MutableNodeInfo[]): Plan =>
  plan({ pod: candidate, cluster: clusterOf(nodes), plugins, random: seededRandom("plan") });

const required = (...values: string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values }] }],
      },
    },
  },
});
const preferred = (weight: number, value: string) => ({
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight, preference: { matchExpressions: [{ key: "zone", operator: "In", values: [value] }] } },
      ],
    },
  },
});

describe("binds", () => {
  const cases: { name: string; pod: Pod; nodes: MutableNodeInfo[]; want: string }[] = [
    { name: "to the only node", pod: pod(), nodes: [node("a")], want: "a" },
    {
      name: "to the node with most room left",
      pod: pod(asking("1")),
      nodes: [node("a", [pod(asking("2"))]), node("b")],
      want: "b",
    },
    {
      name: "where the selector says",
      pod: pod({ nodeSelector: { zone: "y" } }),
      nodes: [node("a zone=x"), node("b zone=y")],
      want: "b",
    },
    {
      name: "where the affinity says",
      pod: pod(required("y", "z")),
      nodes: [node("a zone=x"), node("b zone=y")],
      want: "b",
    },
    {
      name: "where it would rather be",
      pod: pod(preferred(100, "y")),
      nodes: [node("a zone=x"), node("b zone=y"), node("c")],
      want: "b",
    },
    {
      name: "away from a node that would rather not",
      pod: pod(),
      nodes: [node("a taint=k:PreferNoSchedule"), node("b")],
      want: "b",
    },
    {
      name: "to a tainted node when it tolerates that",
      pod: pod({ tolerations: [{ key: "k", operator: "Exists" }] }),
      nodes: [node("a taint=k:NoSchedule")],
      want: "a",
    },
    {
      name: "where CPU and memory stay in balance",
      pod: pod(asking("1", "1Gi")),
      nodes: [
        node("a cpu=4 memory=4Gi", [pod(asking("1", "0"))]),
        node("b cpu=4 memory=4Gi", [pod(asking("500m", "512Mi"))]),
      ],
      want: "b",
    },
  ];
  for (const { name, pod: candidate, nodes, want } of cases) {
    test(name, () => expect(decide(candidate, nodes)).toEqual({ do: "bind", nodeName: want }));
  }
});

describe("waits, and says why as upstream does", () => {
  const port = { containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 80 }] }] };
  const none = (count: number, reasons: string, preemption: string) =>
    `0/${count} nodes are available: ${reasons}. no new claims to deallocate, preemption: 0/${count} nodes are available: ${preemption}.`;
  const cases: { name: string; pod: Pod; nodes: MutableNodeInfo[]; want: string }[] = [
    { name: "there is no node", pod: pod(), nodes: [], want: "no nodes available to schedule pods" },
    {
      name: "other pods take the CPU",
      pod: pod(asking("3")),
      nodes: [node("a", [pod(asking("2"))])],
      want: none(1, "1 Insufficient cpu", "1 No preemption victims found for incoming pod"),
    },
    {
      name: "no node is large enough",
      pod: pod(asking("9", "90Gi")),
      nodes: [node("a")],
      want: none(1, "1 Insufficient cpu, 1 Insufficient memory", "1 Preemption is not helpful for scheduling"),
    },
    {
      name: "each node for its own reason, counted and sorted",
      pod: pod({ ...asking("3"), nodeSelector: { zone: "x" } }),
      nodes: [node("a"), node("b zone=x taint=k:NoSchedule"), node("c zone=x", [pod(asking("2"))]), node("d cordoned")],
      want: none(
        4,
        "1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable",
        "1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling",
      ),
    },
    {
      name: "the node is full",
      pod: pod(),
      nodes: [node("a pods=1", [pod()])],
      want: none(1, "1 Too many pods", "1 No preemption victims found for incoming pod"),
    },
    {
      name: "the host port is taken",
      pod: pod(port),
      nodes: [node("a", [pod(port)])],
      want: none(
        1,
        "1 node(s) didn't have free ports for the requested pod ports",
        "1 No preemption victims found for incoming pod",
      ),
    },
  ];
  cases.push(
    {
      name: "its claim is not there",
      pod: pod({ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] }),
      nodes: [node("a"), node("b")],
      want: none(2, 'persistentvolumeclaim "data" not found', "2 Preemption is not helpful for scheduling"),
    },
    {
      name: "its own claim has not been made",
      pod: pod({ volumes: [{ name: "v", ephemeral: {} }] }),
      nodes: [node("a")],
      want: none(
        1,
        'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"',
        "1 Preemption is not helpful for scheduling",
      ),
    },
  );
  const sidecar = {
    containers: [{ name: "c" }],
    initContainers: [{ name: "s", restartPolicy: "Always", ...port.containers[0] }],
  };
  cases.push({
    name: "the host port is taken by a sidecar",
    pod: pod(port),
    nodes: [node("a", [pod(sidecar)])],
    want: none(
      1,
      "1 node(s) didn't have free ports for the requested pod ports",
      "1 No preemption victims found for incoming pod",
    ),
  });
  const byName = (...values: string[]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values }] }],
        },
      },
    },
  });
  cases.push(
    {
      name: "it may only be on one node, as a DaemonSet's pods",
      pod: pod({ ...asking("3"), ...byName("a") }),
      nodes: [node("a", [pod(asking("2"))]), node("b"), node("c")],
      want: none(
        3,
        "1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]",
        "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling",
      ),
    },
    {
      name: "it may only be on a node that is not there",
      pod: pod(byName("z")),
      nodes: [node("a"), node("b")],
      want: none(2, "2 node(s) didn't satisfy plugin(s) [NodeAffinity]", "2 Preemption is not helpful for scheduling"),
    },
    {
      name: "it asks for no node at all",
      pod: pod(byName()),
      nodes: [node("a"), node("b")],
      want: "0/2 nodes are available: pod affinity terms conflict. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    },
    {
      name: "it has the priority to preempt, but must not",
      pod: pod({ ...asking("3"), priority: 10, preemptionPolicy: "Never" }),
      nodes: [node("a", [pod(asking("2"))])],
      want: "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
    },
    {
      name: "even without those of lower priority there is no room",
      pod: pod({ ...asking("3"), priority: 10 }),
      nodes: [node("a", [pod(asking("2")), pod({ ...asking("2"), priority: 20 })])],
      want: none(1, "1 Insufficient cpu", "1 Insufficient cpu"),
    },
  );
  for (const { name, pod: candidate, nodes, want } of cases) {
    test(name, () => expect(decide(candidate, nodes)).toMatchObject({ do: "wait", message: want }));
  }
});

describe("preempts", () => {
  const named = (name: string, cpu: string, priority: number, extra: object = {}): Pod => {
    const made = pod({ ...asking(cpu), priority, ...extra });
    return { ...made, metadata: { ...made.metadata, name, creationTimestamp: "2026-01-01T00:00:00Z" } };
  };
  const high = (cpu: string) => pod({ ...asking(cpu), priority: 100 });
  const cases: { name: string; pod: Pod; nodes: MutableNodeInfo[]; want: string }[] = [
    {
      name: "as few as will do, the least important",
      pod: high("2"),
      nodes: [node("a cpu=4", [named("x", "2", 5), named("y", "2", 3)])],
      want: "a: y",
    },
    {
      name: "where the most important victim is least important",
      pod: high("2"),
      nodes: [node("a cpu=2", [named("x", "2", 5)]), node("b cpu=2", [named("y", "2", 3)])],
      want: "b: y",
    },
    {
      name: "one rather than two",
      pod: high("2"),
      nodes: [node("a cpu=2", [named("x", "1", 3), named("y", "1", 3)]), node("b cpu=2", [named("z", "2", 3)])],
      want: "b: z",
    },
    {
      name: "none where that does not help",
      pod: { ...high("2"), spec: { ...high("2").spec, nodeSelector: { zone: "x" } } },
      nodes: [node("a cpu=2", [named("x", "2", 0)]), node("b cpu=2 zone=x", [named("y", "2", 50)])],
      want: "b: y",
    },
  ];
  for (const { name, pod: candidate, nodes, want } of cases) {
    test(name, () => {
      const decided = decide(candidate, nodes);
      const { nodeName, victims } = (decided.do === "wait" ? decided.preemption : undefined) ?? {};
      expect(`${nodeName}: ${victims?.map(({ metadata }) => metadata.name).join()}`).toBe(want);
    });
  }

  test("and says only what is lacking", () => {
    const decided = decide(high("2"), [node("a cpu=2", [named("x", "2", 0)])]);
    expect(decided).toMatchObject({ message: "0/1 nodes are available: 1 Insufficient cpu." });
  });
});

test("room that is being made for a pod is not taken by a lesser one, but by a greater", () => {
  const nominated = pod({ ...asking("2"), priority: 50 });
  const decideBeside = (candidate: Pod) =>
    plan({
      pod: candidate,
      cluster: clusterOf([node("a cpu=2")], { nominatedTo: () => [nominated] }),
      plugins,
      random: seededRandom("plan"),
    }).do;
  expect(decideBeside(pod(asking("1")))).toBe("wait");
  expect(decideBeside(pod({ ...asking("1"), priority: 60 }))).toBe("bind");
  expect(decideBeside(nominated)).toBe("bind");
});
