/** The conditions that the kubelet keeps. Source: kubelet status/generate.go. */
import type { ContainerStatus, Pod, PodCondition } from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";
import { hasAnyRegularStarted } from "./podPhase.ts";
import { isSidecar, type RuntimePod } from "./runtimePod.ts";
import { sandboxChange } from "./sandboxChange.ts";

export interface ConditionInput {
  readonly pod: Pod;
  readonly runtimePod: RuntimePod;
  readonly phase: string;
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  readonly previous: readonly PodCondition[];
  readonly nowMs: number;
}

type Outcome = Pick<PodCondition, "reason" | "message"> & { readonly isTrue: boolean };

/** Go prints a list of names as "[a b]". */
const names = (list: readonly string[]): string => `[${list.join(" ")}]`;

const joined = (...parts: readonly (readonly [string, readonly string[]])[]): string =>
  parts
    .filter(([, list]) => list.length > 0)
    .map(([text, list]) => `${text}: ${names(list)}`)
    .join(", ");

function containersReady({ pod, phase, initContainerStatuses, containerStatuses }: ConditionInput): Outcome {
  if (phase === "Succeeded") return { isTrue: false, reason: "PodCompleted" };
  if (phase === "Failed") return { isTrue: false, reason: "PodFailed" };
  const statuses = [...initContainerStatuses, ...containerStatuses];
  const counted = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const find = (name: string) => statuses.find((status) => status.name === name);
  const unknown = counted.filter(({ name }) => find(name) === undefined).map(({ name }) => name);
  const unready = counted.filter(({ name }) => find(name)?.ready === false).map(({ name }) => name);
  const message = joined(["containers with unknown status", unknown], ["containers with unready status", unready]);
  return message === "" ? { isTrue: true } : { isTrue: false, reason: "ContainersNotReady", message };
}

function ready(input: ConditionInput): Outcome {
  const containers = containersReady(input);
  if (!containers.isTrue) return containers;
  const messages = (input.pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = input.previous.find(({ type }) => type === conditionType);
    if (condition === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return messages.length === 0
    ? { isTrue: true }
    : { isTrue: false, reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

function initialized({ pod, phase, initContainerStatuses, containerStatuses }: ConditionInput): Outcome {
  if (phase === "Succeeded") return { isTrue: true, reason: "PodCompleted" };
  if (hasAnyRegularStarted(pod, containerStatuses)) return { isTrue: true };
  const incomplete = (pod.spec.initContainers ?? [])
    .filter((container) => {
      const status = initContainerStatuses.find(({ name }) => name === container.name);
      return isSidecar(container) ? status?.started !== true : status?.ready !== true;
    })
    .map(({ name }) => name);
  if (incomplete.length === 0) return { isTrue: true };
  const message = joined(["containers with incomplete status", incomplete]);
  return { isTrue: false, reason: "ContainersNotInitialized", message };
}

const scheduled = (): Outcome => ({ isTrue: true });

const readyToStart = ({ pod, runtimePod }: ConditionInput): Outcome => ({
  isTrue: !sandboxChange(pod, runtimePod).isNeeded,
});

/** In the order in which upstream shows them. */
const CONDITIONS: readonly (readonly [string, (input: ConditionInput) => Outcome])[] = [
  ["PodReadyToStartContainers", readyToStart],
  ["Initialized", initialized],
  ["Ready", ready],
  ["ContainersReady", containersReady],
  ["PodScheduled", scheduled],
];

/** Ours in full; `lastTransitionTime` moves only when the status does. Others' conditions are left to the patch. */
export function podConditions(input: ConditionInput): readonly PodCondition[] {
  const { generation } = input.pod.metadata;
  return CONDITIONS.map(([type, evaluate]) => {
    const { isTrue, reason, message } = evaluate(input);
    const status = isTrue ? "True" : "False";
    const before = input.previous.find((condition) => condition.type === type);
    const since = before?.status === status ? before.lastTransitionTime : undefined;
    return {
      type,
      status,
      lastTransitionTime: since ?? timestamp(input.nowMs),
      ...(generation !== undefined && { observedGeneration: generation }),
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
    };
  });
}
