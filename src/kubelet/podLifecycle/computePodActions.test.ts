import { expect, test } from "vitest";
import type { Pod } from "../../api/generated/core-v1.ts";
import { computePodActions } from "./computePodActions.ts";
import type { PodActions } from "./podActions.ts";
import { containersOf, runtimePodOf, testPod, verdictsOf } from "./testPods.ts";

const PROBE = { exec: { command: ["true"] } };
const sidecar = (name: string, more = {}) => ({ name, image: "p:1", restartPolicy: "Always", ...more });
const init = containersOf("i1 i2");

/** "new-sandbox#1 kill:app0 init:i1 start:app", in short. */
const inShort = (actions: PodActions): string =>
  [
    ...(actions.killPod ? ["kill-pod"] : []),
    ...(actions.createSandbox ? [`new-sandbox#${actions.attempt}`] : []),
    ...actions.kill.map(({ containerId }) => `kill:${containerId}`),
    ...actions.startEphemeral.map((name) => `debug:${name}`),
    ...actions.startInit.map((name) => `init:${name}`),
    ...actions.start.map((name) => `start:${name}`),
  ].join(" ");

interface Case {
  readonly name: string;
  readonly spec?: Partial<Pod["spec"]>;
  readonly has: string;
  readonly probes?: string;
  readonly want: string;
}

const live = { containers: [{ name: "app", image: "web:1", livenessProbe: PROBE, startupProbe: PROBE }] };

const CASES: readonly Case[] = [
  { name: "nothing there: a sandbox and the container", has: "", want: "new-sandbox#0 start:app" },
  {
    name: "nothing there, with init containers: only the first of them",
    spec: { initContainers: init },
    has: "",
    want: "new-sandbox#0 init:i1",
  },
  { name: "all runs: nothing", has: "s0 app:r", want: "" },
  { name: "the container is missing: it is started", has: "s0", want: "start:app" },
  { name: "a crashed container is started again", has: "s0 app:x1", want: "start:app" },
  { name: "a container that ended well is started again under Always", has: "s0 app:x0", want: "start:app" },
  {
    name: "under OnFailure one that ended well ends the pod",
    spec: { restartPolicy: "OnFailure" },
    has: "s0 app:x0",
    want: "kill-pod",
  },
  {
    name: "under OnFailure one that failed is started again",
    spec: { restartPolicy: "OnFailure" },
    has: "s0 app:x3",
    want: "start:app",
  },
  {
    name: "under Never one that failed ends the pod",
    spec: { restartPolicy: "Never" },
    has: "s0 app:x3",
    want: "kill-pod",
  },
  {
    name: "under Never a second container keeps the pod alive",
    spec: { restartPolicy: "Never", containers: containersOf("app side") },
    has: "s0 app:x3 side:r",
    want: "",
  },
  {
    name: "a container's own rule goes before the pod's policy",
    spec: {
      restartPolicy: "Never",
      containers: [
        {
          name: "app",
          image: "web:1",
          restartPolicy: "Never",
          restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }],
        },
      ],
    },
    has: "s0 app:x42",
    want: "start:app",
  },
  { name: "one that was created and never started is made anew", has: "s0 app:c", want: "start:app" },
  { name: "one of unknown state is killed and made anew", has: "s0 app:u", want: "kill:app0 start:app" },
  { name: "a sandbox that is not ready is replaced", has: "s0! app:r", want: "kill-pod new-sandbox#1 start:app" },
  { name: "a sandbox without an address is replaced", has: "s0- app:r", want: "kill-pod new-sandbox#1 start:app" },
  { name: "but not with the host's network", spec: { hostNetwork: true }, has: "s0- app:r", want: "" },
  { name: "two ready sandboxes are one too many", has: "s0 s1 app:r", want: "kill-pod new-sandbox#2 start:app" },
  {
    name: "a lost sandbox under Never ends the pod",
    spec: { restartPolicy: "Never" },
    has: "s0! app:x1",
    want: "kill-pod",
  },
  {
    name: "a lost sandbox under OnFailure leaves what ended well",
    spec: { restartPolicy: "OnFailure", containers: containersOf("a b") },
    has: "s0! a:x0 b:x1",
    want: "kill-pod new-sandbox#1 start:b",
  },
  {
    name: "after a lost sandbox init containers run again",
    spec: { initContainers: init },
    has: "s0! i1:x0 i2:x0 app:x1",
    want: "kill-pod new-sandbox#1 init:i1",
  },
  {
    name: "what ran in an earlier sandbox does not count",
    spec: { initContainers: init },
    has: "s0! s1 i1@s0:x0 i2@s0:x0",
    want: "init:i1",
  },
  { name: "a running init container is waited for", spec: { initContainers: init }, has: "s0 i1:r", want: "" },
  {
    name: "the next init container follows one that ended well",
    spec: { initContainers: init },
    has: "s0 i1:x0",
    want: "init:i2",
  },
  { name: "a failed init container is tried again", spec: { initContainers: init }, has: "s0 i1:x1", want: "init:i1" },
  {
    name: "a failed init container under Never ends the pod",
    spec: { initContainers: init, restartPolicy: "Never" },
    has: "s0 i1:x1",
    want: "kill-pod",
  },
  {
    name: "after the last init container the rest starts",
    spec: { initContainers: init },
    has: "s0 i1:x0 i2:x0",
    want: "start:app",
  },
  {
    name: "an init container whose trace is gone counts as done when a later one has run",
    spec: { initContainers: init },
    has: "s0 i2:x0",
    want: "start:app",
  },
  {
    name: "init containers do not run again while the pod lives",
    spec: { initContainers: init },
    has: "s0 app:r",
    want: "",
  },
  {
    name: "a sidecar that runs lets the next start",
    spec: { initContainers: [sidecar("p"), ...containersOf("i1")] },
    has: "s0 p:r",
    want: "init:i1",
  },
  {
    name: "a sidecar with a startup probe is waited for",
    spec: { initContainers: [sidecar("p", { startupProbe: PROBE })] },
    has: "s0 p:r",
    want: "",
  },
  {
    name: "until that succeeds",
    spec: { initContainers: [sidecar("p", { startupProbe: PROBE })] },
    has: "s0 p:r",
    probes: "startup/p0=Success",
    want: "start:app",
  },
  {
    name: "a sidecar that died is started again beside the others",
    spec: { initContainers: [sidecar("p")] },
    has: "s0 p:x1 app:r",
    want: "init:p",
  },
  {
    name: "a sidecar alone does not keep the pod alive",
    spec: { restartPolicy: "Never", initContainers: [sidecar("p")] },
    has: "s0 p:r app:x0",
    want: "kill-pod",
  },
  {
    name: "a sidecar that fails its liveness probe is replaced",
    spec: { initContainers: [sidecar("p", { livenessProbe: PROBE })] },
    has: "s0 p:r app:r",
    probes: "liveness/p0=Failure",
    want: "kill:p0 init:p",
  },
  {
    name: "a failed liveness probe kills and restarts",
    spec: live,
    has: "s0 app:r",
    probes: "liveness/app0=Failure",
    want: "kill:app0 start:app",
  },
  {
    name: "a failed startup probe kills and restarts",
    spec: live,
    has: "s0 app:r",
    probes: "startup/app0=Failure",
    want: "kill:app0 start:app",
  },
  {
    name: "a failed liveness probe under Never only kills",
    spec: { ...live, restartPolicy: "Never" },
    has: "s0 app:r",
    probes: "liveness/app0=Failure",
    want: "kill-pod kill:app0",
  },
  {
    name: "the verdict on an earlier attempt does not count",
    spec: live,
    has: "s0 app:x1 app:r",
    probes: "liveness/app0=Failure",
    want: "",
  },
  {
    name: "a debug container is started beside",
    spec: { ephemeralContainers: [{ name: "dbg", image: "d:1" }] },
    has: "s0 app:r",
    want: "debug:dbg",
  },
  {
    name: "and never again",
    spec: { ephemeralContainers: [{ name: "dbg", image: "d:1" }] },
    has: "s0 app:r dbg:x0",
    want: "",
  },
];

test.each(CASES)("$name", ({ spec, has, probes, want }) => {
  const pod = testPod(spec);
  expect(inShort(computePodActions(pod, runtimePodOf(has, pod), verdictsOf(probes)))).toBe(want);
});

test("a container whose image has changed is replaced, whatever the restart policy", () => {
  const before = testPod({ restartPolicy: "Never" });
  const runtimePod = runtimePodOf("s0 app:r", before);
  const after = testPod({ restartPolicy: "Never", containers: containersOf("app", { image: "web:2" }) });
  const actions = computePodActions(after, runtimePod, verdictsOf());
  expect(inShort(actions)).toBe("kill:app0 start:app");
  expect(actions.kill[0]?.message).toBe("Container app definition changed, will be restarted");
});

test("a pod that is being deleted restarts nothing", () => {
  const pod = testPod({}, { deletionTimestamp: "2026-01-01T00:00:00Z" });
  expect(inShort(computePodActions(pod, runtimePodOf("s0 app:x1", pod), verdictsOf()))).toBe("kill-pod");
});
