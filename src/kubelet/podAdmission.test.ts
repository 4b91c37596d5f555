import { expect, test } from "vitest";
import type { Pod, ResourceRequirements } from "../api/generated/core-v1.ts";
import { admitPod, podRequests } from "./podAdmission.ts";
import { testPod } from "./podLifecycle/testPods.ts";

const node = {
  name: "n1",
  labels: { disk: "ssd" },
  taints: [{ key: "gone", effect: "NoExecute" }],
  allocatable: { cpu: "2", memory: "1Gi", pods: "3" },
};
const TOLERANT = [{ operator: "Exists" }];

const asking = (requests: Record<string, string>): Partial<Pod["spec"]> => ({
  containers: [{ name: "app", image: "a", resources: { requests } as ResourceRequirements }],
});
const onPort = (hostPort: number, hostIP = ""): Partial<Pod["spec"]> => ({
  containers: [{ name: "app", image: "a", ports: [{ containerPort: 80, hostPort, hostIP }] }],
});
const affine = (term: object): Partial<Pod["spec"]> => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
});

test.each<[string, Partial<Pod["spec"]>, readonly Partial<Pod["spec"]>[], string | undefined]>([
  ["a pod that fits", asking({ cpu: "1" }), [asking({ cpu: "1" })], undefined],
  [
    "too much cpu",
    asking({ cpu: "1100m" }),
    [asking({ cpu: "1" })],
    "OutOfcpu: Node didn't have enough resource: cpu, requested: 1100, used: 1000, capacity: 2000",
  ],
  [
    "too much memory",
    asking({ memory: "2Gi" }),
    [],
    "OutOfmemory: Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
  ],
  [
    "a resource that the node does not have",
    asking({ "x.com/gpu": "1" }),
    [],
    "OutOfx.com/gpu: Node didn't have enough resource: x.com/gpu, requested: 1, used: 0, capacity: 0",
  ],
  [
    "a pod too many",
    {},
    [{}, {}, {}],
    "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
  ],
  [
    "another node's selector",
    { nodeSelector: { disk: "hdd" } },
    [],
    "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  ],
  [
    "an affinity by name",
    affine({ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }),
    [],
    undefined,
  ],
  [
    "an affinity to others",
    affine({ matchExpressions: [{ key: "disk", operator: "NotIn", values: ["ssd"] }] }),
    [],
    "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  ],
  [
    "a port that is taken",
    onPort(80),
    [onPort(80, "127.0.0.1")],
    "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  ],
  ["a port that is taken on another address", onPort(80, "127.0.0.2"), [onPort(80, "127.0.0.1")], undefined],
  [
    "a taint that it does not tolerate",
    { tolerations: [] },
    [],
    "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
  ],
])("%s", (_, spec, others, want) => {
  const pod = testPod({ tolerations: TOLERANT, ...spec });
  const rejection = admitPod({ pod, others: others.map((other) => testPod(other)), node });
  expect(rejection && `${rejection.reason}: ${rejection.message}`).toBe(want);
});

test("init containers count by their peak, sidecars with the rest", () => {
  const container = (name: string, cpu: string, restartPolicy?: string) => ({
    name,
    image: "a",
    resources: { requests: { cpu } },
    ...(restartPolicy !== undefined && { restartPolicy }),
  });
  const spec = {
    initContainers: [container("side", "200m", "Always"), container("setup", "900m")],
    containers: [container("a", "300m"), container("b", "300m")],
  };
  expect(podRequests(testPod(spec))).toEqual({ cpu: 1100 });
});
