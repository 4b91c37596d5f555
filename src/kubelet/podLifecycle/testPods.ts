/** A tiny notation for what the runtime has, for table tests. */

import type { Container, Pod } from "../../api/generated/core-v1.ts";
import type { ContainerStatus, SandboxStatus } from "../runtime.ts";
import { containerHash } from "./containerHash.ts";
import type { ProbeVerdict, ProbeVerdicts } from "./podActions.ts";
import { CONTAINER_HASH_ANNOTATION, type RuntimePod, sortedContainers, sortedSandboxes } from "./runtimePod.ts";

export const testPod = (spec: Partial<Pod["spec"]> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", uid: "u1", creationTimestamp: "", resourceVersion: "1", ...metadata },
  spec: { containers: [{ name: "app", image: "web:1" }], ...spec },
  status: {},
});

const IDENTITY = { uid: "u1", name: "web", namespace: "default" };

const sandbox = (attempt: number, state: SandboxStatus["state"], ips: readonly string[]): SandboxStatus => ({
  id: `s${attempt}`,
  pod: IDENTITY,
  attempt,
  state,
  createdAtMs: attempt,
  ips,
  labels: {},
  annotations: {},
});

/** "r" running, "c" created, "u" unknown, "x0" exited with 0. */
function stateOf(letter: string): Pick<ContainerStatus, "state" | "exitCode"> {
  if (letter.startsWith("x")) return { state: "Exited", exitCode: Number(letter.slice(1)) };
  return { state: letter === "r" ? "Running" : letter === "c" ? "Created" : "Unknown" };
}

/**
 * "s0 app:r" is a ready sandbox with app running in it; "s0! s1 app@s0:x1 app:r" one that is not ready and its successor,
 * in which app runs again; "s0-" has no address. Attempts count up; ids are "app0", "app1", ….
 */
export function runtimePodOf(notation: string, pod: Pod): RuntimePod {
  const words = notation.split(" ").filter((word) => word !== "");
  const sandboxes = words
    .filter((word) => /^s\d+[!-]?$/.test(word))
    .map((word) =>
      sandbox(
        Number(word.slice(1).replace(/[!-]/, "")),
        word.endsWith("!") ? "NotReady" : "Ready",
        word.endsWith("-") ? [] : ["10.0.0.1"],
      ),
    );
  const attempts = new Map<string, number>();
  const containers = words
    .filter((word) => word.includes(":"))
    .map((word, index): ContainerStatus => {
      const [who = "", letter = ""] = word.split(":");
      const [name = "", at = sandboxes.at(-1)?.id ?? ""] = who.split("@");
      const attempt = attempts.get(name) ?? 0;
      attempts.set(name, attempt + 1);
      const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name);
      return {
        id: `${name}${attempt}`,
        sandboxId: at,
        name,
        attempt,
        ...stateOf(letter),
        createdAtMs: 100 + index,
        startedAtMs: 1000,
        finishedAtMs: 2000,
        imageId: "sha256:1",
        imageName: spec?.image ?? "",
        logPath: "/log",
        labels: {},
        annotations: { [CONTAINER_HASH_ANNOTATION]: spec === undefined ? "" : containerHash(spec) },
      };
    });
  return { pod: IDENTITY, sandboxes: sortedSandboxes(sandboxes), containers: sortedContainers(containers) };
}

/** "liveness/app0=Failure readiness/app0=Success" */
export function verdictsOf(notation = ""): ProbeVerdicts {
  const map = new Map(notation.split(" ").map((word) => word.split("=") as [string, ProbeVerdict]));
  const of = (type: string) => (id: string) => map.get(`${type}/${id}`);
  return { startup: of("startup"), liveness: of("liveness"), readiness: of("readiness") };
}

/** "a b" → two containers of these names. */
export const containersOf = (names: string, extra: Partial<Container> = {}): readonly Container[] =>
  names.split(" ").map((name) => ({ name, image: "web:1", ...extra }));
