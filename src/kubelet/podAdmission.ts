/** The node's own last word on a pod that was given to it. Source: kubelet lifecycle/predicate.go. */
import type { ContainerPort, Node, Pod, Taint } from "../api/generated/core-v1.ts";
import { nodeRequirementsMatch } from "../machinery/nodeSelectorTerms.ts";
import { quantityMilliValue, quantityValue } from "../machinery/quantity.ts";
import { isTolerated } from "../machinery/tolerations.ts";
import { isSidecar } from "./podLifecycle/runtimePod.ts";
import { sysctlRejection } from "./sysctls.ts";

export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

export interface AdmissionInput {
  readonly pod: Pod;
  /** Pods of this node that run or are going to. */
  readonly others: readonly Pod[];
  readonly node: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly taints: readonly Taint[];
    readonly allocatable: Readonly<Record<string, string>>;
  };
}

type Amounts = Readonly<Record<string, number>>;

/** CPU in thousandths, everything else in units. */
const amountOf = (name: string, quantity: string): number =>
  name === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);

function combine(a: Amounts, b: Amounts, by: (x: number, y: number) => number): Amounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, by(a[name] ?? 0, b[name] ?? 0)]));
}

const amounts = (list: Readonly<Record<string, string>> | undefined): Amounts =>
  Object.fromEntries(Object.entries(list ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)]));

const sum = (x: number, y: number): number => x + y;

/** What a pod asks for: containers and sidecars together, or the largest init container. Source: resource.PodRequests. */
export function podRequests({ spec }: Pod): Amounts {
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    const own = amounts(container.resources?.requests);
    if (isSidecar(container)) {
      sidecars = combine(sidecars, own, sum);
      peak = combine(peak, sidecars, Math.max);
    } else peak = combine(peak, combine(sidecars, own, sum), Math.max);
  }
  const regular = spec.containers.map(({ resources }) => amounts(resources?.requests));
  const together = regular.reduce((all, own) => combine(all, own, sum), sidecars);
  return combine(combine(together, peak, Math.max), amounts(spec.overhead), sum);
}

function resourceRejection({ pod, others, node }: AdmissionInput): Rejection | undefined {
  const podsMax = Number(node.allocatable.pods ?? Number.POSITIVE_INFINITY);
  if (others.length + 1 > podsMax) {
    const message = `Node didn't have enough resource: pods, requested: 1, used: ${others.length}, capacity: ${podsMax}`;
    return { reason: "OutOfpods", message };
  }
  const used = others.map(podRequests).reduce((all, own) => combine(all, own, sum), {});
  for (const [name, requested] of Object.entries(podRequests(pod))) {
    const capacity = node.allocatable[name];
    if (requested === 0) continue;
    const has = capacity === undefined ? 0 : amountOf(name, capacity);
    const taken = used[name] ?? 0;
    if (requested <= has - taken) continue;
    const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${taken}, capacity: ${has}`;
    return { reason: `OutOf${name}`, message };
  }
  return undefined;
}

function selectorRejection({ pod, node }: AdmissionInput): Rejection | undefined {
  if (nodeRequirementsMatch(pod.spec, node)) return undefined;
  return {
    reason: "NodeAffinity",
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  };
}

type HostPort = Pick<ContainerPort, "hostPort" | "hostIP" | "protocol">;

const hostPorts = ({ spec }: Pod): readonly HostPort[] =>
  [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)].flatMap(({ ports }) =>
    (ports ?? []).filter(({ hostPort }) => hostPort !== undefined && hostPort > 0),
  );

const isAny = (ip: string | undefined): boolean => ip === undefined || ip === "" || ip === "0.0.0.0";

const clash = (a: HostPort, b: HostPort): boolean =>
  a.hostPort === b.hostPort &&
  (a.protocol ?? "TCP") === (b.protocol ?? "TCP") &&
  (isAny(a.hostIP) || isAny(b.hostIP) || a.hostIP === b.hostIP);

function portRejection({ pod, others }: AdmissionInput): Rejection | undefined {
  const wanted = hostPorts(pod);
  const isFree = others.every((other) => hostPorts(other).every((used) => !wanted.some((port) => clash(port, used))));
  if (isFree) return undefined;
  const message = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
  return { reason: "NodePorts", message };
}

function taintRejection({ pod, node }: AdmissionInput): Rejection | undefined {
  const untolerated = node.taints.find(
    (taint) => taint.effect === "NoExecute" && !isTolerated(taint, pod.spec.tolerations),
  );
  if (untolerated === undefined) return undefined;
  const message = "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate";
  return { reason: "TaintToleration", message };
}

/** @returns why the pod may not run here; undefined: it may. */
export function admitPod(input: AdmissionInput): Rejection | undefined {
  return (
    sysctlRejection(input.pod) ??
    resourceRejection(input) ??
    selectorRejection(input) ??
    portRejection(input) ??
    taintRejection(input)
  );
}

export const nodeForAdmission = (node: Node | undefined): AdmissionInput["node"] => ({
  name: node?.metadata.name ?? "",
  labels: node?.metadata.labels ?? {},
  taints: node?.spec.taints ?? [],
  allocatable: node?.status.allocatable ?? {},
});
