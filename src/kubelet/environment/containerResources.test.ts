import { expect, test } from "vitest";
import type { ResourceRequirements } from "../../api/generated/core-v1.ts";
import { testPod } from "../podLifecycle/testPods.ts";
import {
  containerResources,
  milliCpuToQuota,
  milliCpuToShares,
  oomScoreAdjust,
  podResources,
} from "./containerResources.ts";
import { checkRunAsNonRoot, containerSecurity } from "./containerSecurity.ts";

const GIB = 2 ** 30;

test.each([
  [0, 2],
  [1, 2],
  [50, 51],
  [1000, 1024],
  [10_000_000, 262_144],
])("%d thousandths of a core are %d shares", (milli, shares) => {
  expect(milliCpuToShares(milli)).toBe(shares);
});

test.each([
  [0, undefined],
  [1, 1000],
  [500, 50_000],
  [2000, 200_000],
])("%d thousandths of a core are a quota of %s µs", (milli, quota) => {
  expect(milliCpuToQuota(milli)).toBe(quota);
});

test.each([
  { name: "best effort dies first", resources: {}, want: 1000 },
  {
    name: "guaranteed last",
    resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
    want: -997,
  },
  { name: "burstable by what it asked for", resources: { requests: { memory: "2Gi" } }, want: 750 },
  { name: "burstable with little", resources: { requests: { memory: "1Ki" } }, want: 999 },
  { name: "burstable with nearly all", resources: { requests: { memory: "7.99Gi" } }, want: 3 },
])("$name", ({ resources, want }) => {
  const container = { name: "app", resources: resources as ResourceRequirements };
  expect(oomScoreAdjust(testPod({ containers: [container] }), container, 8 * GIB)).toBe(want);
});

test("a container's limits, and the pod's where all have one", () => {
  const container = { name: "a", resources: { requests: { cpu: "50m" }, limits: { cpu: "500m", memory: "64Mi" } } };
  const node = { nodeMemoryBytes: 8 * GIB, podPidsMax: 100 };
  expect(containerResources(testPod({ containers: [container] }), container, node)).toEqual({
    cpuShares: 51,
    cpuQuotaUs: 50_000,
    memoryLimitBytes: 64 * 2 ** 20,
    pidsMax: 100,
    oomScoreAdj: 999,
  });
  expect(podResources(testPod({ containers: [container, { ...container, name: "b" }] }), undefined)).toEqual({
    cpuShares: 102,
    cpuQuotaUs: 100_000,
    memoryLimitBytes: 128 * 2 ** 20,
  });
  expect(podResources(testPod({ containers: [container, { name: "b" }] }), undefined)).toEqual({ cpuShares: 51 });
});

test("the container's security goes before the pod's", () => {
  const pod = testPod({ securityContext: { runAsUser: 1, fsGroup: 9, supplementalGroups: [7] } });
  const container = {
    name: "a",
    securityContext: { runAsUser: 2, capabilities: { drop: ["ALL"] }, allowPrivilegeEscalation: false },
  };
  expect(containerSecurity(pod, container)).toEqual({
    privileged: false,
    readOnlyRootFilesystem: false,
    runAsUser: 2,
    supplementalGroups: [7, 9],
    addCapabilities: [],
    dropCapabilities: ["ALL"],
    allowPrivilegeEscalation: false,
  });
});

const image = (user: string) => ({ id: "", repoTags: [], repoDigests: [], sizeBytes: 0, user });

test.each([
  { user: "", runAsUser: undefined, want: "container has runAsNonRoot and image will run as root" },
  { user: "0:0", runAsUser: undefined, want: "container has runAsNonRoot and image will run as root" },
  { user: "nobody", runAsUser: undefined, want: "image has non-numeric user (nobody)" },
  { user: "", runAsUser: 0, want: "container's runAsUser breaks non-root policy" },
  { user: "1000", runAsUser: undefined, want: undefined },
  { user: "", runAsUser: 5, want: undefined },
])("runAsNonRoot with image user '$user' and runAsUser $runAsUser: $want", ({ user, runAsUser, want }) => {
  const container = {
    name: "a",
    securityContext: { runAsNonRoot: true, ...(runAsUser !== undefined && { runAsUser }) },
  };
  const check = () => checkRunAsNonRoot(testPod(), container, image(user));
  if (want === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(want);
});
