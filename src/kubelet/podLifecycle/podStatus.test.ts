import { expect, test } from "vitest";
import type { ContainerState, Pod, PodStatus } from "../../api/generated/core-v1.ts";
import type { StartFailure } from "./containerStatuses.ts";
import { podStatus } from "./podStatus.ts";
import { containersOf, runtimePodOf, testPod, verdictsOf } from "./testPods.ts";

const PROBE = { exec: { command: ["true"] } };

interface Given {
  readonly spec?: Partial<Pod["spec"]>;
  readonly has: string;
  readonly probes?: string;
  readonly failures?: Readonly<Record<string, StartFailure>>;
  readonly messages?: Readonly<Record<string, string>>;
  readonly previous?: PodStatus;
  readonly isOver?: boolean;
  readonly verdict?: { readonly phase: "Failed"; readonly reason: string; readonly message: string };
}

function statusOf({ spec, has, probes, failures, messages, previous, isOver = false, verdict }: Given): PodStatus {
  const pod = testPod(spec, { generation: 3 });
  return podStatus({
    pod,
    runtimePod: runtimePodOf(has, pod),
    verdicts: verdictsOf(probes),
    startFailures: new Map(Object.entries(failures ?? {})),
    terminationMessages: new Map(Object.entries(messages ?? {})),
    previous,
    runtimeName: "oci",
    hostIps: ["192.168.0.2"],
    nowMs: Date.UTC(2026, 0, 1),
    isOver,
    verdict,
  });
}

const stateInShort = (state: ContainerState | undefined): string => {
  if (state?.running !== undefined) return "running";
  if (state?.terminated !== undefined) return `ended ${state.terminated.exitCode} ${state.terminated.reason}`;
  return `waiting ${state?.waiting?.reason ?? ""}`.trim();
};

/** "Running | app running ready ×0 | Ready" */
function inShort({ phase, initContainerStatuses = [], containerStatuses = [], conditions = [] }: PodStatus): string {
  const containers = [...initContainerStatuses, ...containerStatuses].map(
    ({ name, state, ready, restartCount }) => `${name} ${stateInShort(state)}${ready ? " ready" : ""} ×${restartCount}`,
  );
  const held = conditions.filter(({ type, status }) => status === "True" && type !== "PodScheduled");
  return [
    phase,
    containers.join(", "),
    held.map(({ type }) => type.replace("PodReadyToStartContainers", "Sandbox")).join(" "),
  ].join(" | ");
}

const CASES: readonly (Given & { readonly name: string; readonly want: string })[] = [
  { name: "nothing yet", has: "", want: "Pending | app waiting ContainerCreating ×0 | Initialized" },
  { name: "only a sandbox", has: "s0", want: "Pending | app waiting ContainerCreating ×0 | Sandbox Initialized" },
  {
    name: "running",
    has: "s0 app:r",
    want: "Running | app running ready ×0 | Sandbox Initialized Ready ContainersReady",
  },
  {
    name: "one of two is missing",
    spec: { containers: containersOf("b a") },
    has: "s0 a:r",
    want: "Pending | a running ready ×0, b waiting ContainerCreating ×0 | Sandbox Initialized",
  },
  {
    name: "a readiness probe that has not succeeded",
    spec: { containers: containersOf("app", { readinessProbe: PROBE }) },
    has: "s0 app:r",
    want: "Running | app running ×0 | Sandbox Initialized",
  },
  {
    name: "a startup probe that has not succeeded",
    spec: { containers: containersOf("app", { startupProbe: PROBE }) },
    has: "s0 app:r",
    want: "Running | app running ×0 | Sandbox Initialized",
  },
  {
    name: "crashed, not yet restarted",
    has: "s0 app:x1",
    want: "Running | app ended 1 Error ×0 | Sandbox Initialized",
  },
  {
    name: "crash loop",
    has: "s0 app:x1 app:x1",
    failures: { app: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
    want: "Running | app waiting CrashLoopBackOff ×1 | Sandbox Initialized",
  },
  {
    name: "an image that cannot be had",
    has: "s0",
    failures: { app: { reason: "ErrImagePull", message: "not found" } },
    want: "Pending | app waiting ErrImagePull ×0 | Sandbox Initialized",
  },
  {
    name: "an init container runs",
    spec: { initContainers: containersOf("i1") },
    has: "s0 i1:r",
    want: "Pending | i1 running ×0, app waiting PodInitializing ×0 | Sandbox",
  },
  {
    name: "an init container that failed for good",
    spec: { initContainers: containersOf("i1"), restartPolicy: "Never" },
    has: "s0 i1:x2",
    want: "Failed | i1 ended 2 Error ×0, app waiting PodInitializing ×0 | Sandbox",
  },
  {
    name: "ended well under Never",
    spec: { restartPolicy: "Never" },
    has: "s0! app:x0",
    want: "Succeeded | app ended 0 Completed ×0 | Initialized",
  },
  {
    name: "one failed, one still runs, under Never",
    spec: { restartPolicy: "Never", containers: containersOf("a b") },
    has: "s0 a:x1 b:r",
    want: "Running | a ended 1 Error ×0, b running ready ×0 | Sandbox Initialized",
  },
  {
    name: "a deleted pod whose containers have ended",
    has: "s0! app:x0",
    isOver: true,
    want: "Succeeded | app ended 0 Completed ×0 | Initialized",
  },
  {
    name: "a deleted pod with one that failed",
    has: "s0! app:x137",
    isOver: true,
    want: "Failed | app ended 137 Error ×0 | Initialized",
  },
  {
    name: "a verdict waits until nothing runs",
    has: "s0 app:r",
    verdict: { phase: "Failed", reason: "Evicted", message: "low" },
    previous: { phase: "Running" },
    want: "Running | app running ready ×0 | Sandbox Initialized Ready ContainersReady",
  },
  {
    name: "then it stands",
    has: "s0! app:x137",
    verdict: { phase: "Failed", reason: "Evicted", message: "low" },
    previous: { phase: "Running" },
    want: "Failed | app ended 137 Error ×0 | Initialized",
  },
  {
    name: "a phase that is final stays",
    has: "s0 app:r",
    previous: { phase: "Failed" },
    want: "Failed | app running ready ×0 | Sandbox Initialized",
  },
  {
    name: "a container that vanished while the machine was off counts one restart",
    has: "",
    previous: {
      phase: "Running",
      containerStatuses: [
        {
          name: "app",
          image: "",
          imageID: "",
          ready: true,
          restartCount: 2,
          state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
        },
      ],
    },
    want: "Running | app waiting ContainerCreating ×3 | Initialized",
  },
];

test.each(CASES)("$name", (given) => {
  expect(inShort(statusOf(given))).toBe(given.want);
});

test("the end of a container tells all that is known", () => {
  const { containerStatuses } = statusOf({ has: "s0 app:x1 app:r", messages: { app0: "out of cheese" } });
  expect(containerStatuses?.[0]).toMatchObject({
    containerID: "oci://app1",
    imageID: "sha256:1",
    restartCount: 1,
    started: true,
    lastState: {
      terminated: {
        exitCode: 1,
        reason: "Error",
        message: "out of cheese",
        startedAt: "1970-01-01T00:00:01Z",
        finishedAt: "1970-01-01T00:00:02Z",
        containerID: "oci://app0",
      },
    },
  });
});

test("what a container has been given is told, also when that is nothing", () => {
  const requests = { cpu: "100m" };
  const of = (resources: object) =>
    statusOf({ has: "s0 app:r", spec: { containers: [{ name: "app", image: "web:1", resources }] } });
  expect(of({ requests }).containerStatuses?.[0]).toMatchObject({
    allocatedResources: requests,
    resources: { requests },
  });
  expect(of({}).containerStatuses?.[0]?.resources).toEqual({});
});

test("mounts are told before a container runs", () => {
  const volumeMounts = [{ name: "config", mountPath: "/etc/app", readOnly: true }];
  const { containerStatuses } = statusOf({
    has: "",
    spec: { containers: [{ name: "app", image: "web:1", volumeMounts }] },
  });
  expect(containerStatuses?.[0]?.volumeMounts).toEqual([{ ...volumeMounts[0], recursiveReadOnly: "Disabled" }]);
});

test("a condition keeps its time of change until it changes", () => {
  const first = statusOf({ has: "s0 app:r" });
  const old = {
    ...first,
    conditions: first.conditions?.map((one) => ({ ...one, lastTransitionTime: "2020-01-01T00:00:00Z" })),
  };
  const later = statusOf({ has: "s0 app:x1", previous: old });
  const times = later.conditions?.map(({ type, lastTransitionTime }) => `${type} ${lastTransitionTime?.slice(0, 4)}`);
  expect(times).toEqual([
    "PodReadyToStartContainers 2020",
    "Initialized 2020",
    "Ready 2026",
    "ContainersReady 2026",
    "PodScheduled 2020",
  ]);
});

test("readiness gates are asked", () => {
  const { conditions } = statusOf({ spec: { readinessGates: [{ conditionType: "lb/ready" }] }, has: "s0 app:r" });
  expect(conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    reason: "ReadinessGatesNotReady",
    message: 'corresponding condition of pod readiness gate "lb/ready" does not exist.',
    observedGeneration: 3,
  });
});

test("addresses: the pod's, the host's, and kept when the sandbox is gone", () => {
  const first = statusOf({ has: "s0 app:r" });
  expect(first).toMatchObject({ podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }], hostIP: "192.168.0.2" });
  expect(statusOf({ has: "", previous: first }).podIP).toBe("10.0.0.1");
  expect(statusOf({ has: "s0- app:r", spec: { hostNetwork: true } }).podIP).toBe("192.168.0.2");
});
