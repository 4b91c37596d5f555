/** What `kubectl get pods` prints. Source: kubernetes pkg/printers/internalversion/printers.go, printPod. */
import { ageColumn, type Column, nameColumn, type RowCondition } from "../../machinery/defineKind.ts";
import { ago } from "../../machinery/humanDuration.ts";
import { NONE } from "../columns.ts";
import type { ContainerStateTerminated, ContainerStatus, Pod } from "../generated/core-v1.ts";
import { isRestartableInitContainer } from "./podSpec/aggregateResources.ts";

/** Source: pkg/util/node NodeUnreachablePodReason. */
const NODE_LOST = "NodeLost";

interface Summary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: number;
  readonly lastRestart: string | undefined;
}

const later = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && Date.parse(b) > Date.parse(a)) ? b : a;

const restartsOf = (statuses: readonly ContainerStatus[]) => ({
  restarts: statuses.reduce((sum, status) => sum + (status.restartCount ?? 0), 0),
  lastRestart: statuses.reduce<string | undefined>(
    (last, status) => later(last, status.lastState?.terminated?.finishedAt ?? undefined),
    undefined,
  ),
});

const endText = ({ reason, signal, exitCode }: ContainerStateTerminated): string =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);

function phaseText(pod: Pod): string {
  const gated = pod.status?.conditions?.some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  );
  return gated ? "SchedulingGated" : pod.status?.reason || (pod.status?.phase ?? "");
}

const hasCondition = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.find((condition) => condition.type === type)?.status === "True";

interface InitSummary {
  /** Set while an init container keeps the others from starting. */
  readonly blockedBy: string | undefined;
  readonly ready: number;
}

function initSummary(pod: Pod, sidecars: ReadonlySet<string>): InitSummary {
  let ready = 0;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecars.has(status.name) && status.started === true) {
      if (status.ready) ready += 1;
      continue;
    }
    if (terminated !== undefined) return { blockedBy: `Init:${endText(terminated)}`, ready };
    if (waiting?.reason && waiting.reason !== "PodInitializing") return { blockedBy: `Init:${waiting.reason}`, ready };
    return { blockedBy: `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`, ready };
  }
  return { blockedBy: undefined, ready };
}

function mainSummary(pod: Pod, before: string): { status: string; ready: number } {
  let status = before;
  let failure = "";
  let ready = 0;
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) status = waiting.reason;
    else if (terminated !== undefined) {
      status = endText(terminated);
      if (terminated.exitCode !== 0) failure = status;
    } else if (container.ready && running !== undefined) ready += 1;
  }
  if (status !== "Completed") return { status, ready };
  if (ready > 0 && hasCondition(pod, "Ready")) return { status: "Running", ready };
  return { status: failure || (ready > 0 ? "NotReady" : status), ready };
}

function deletionText(pod: Pod, status: string): string {
  if (pod.metadata.deletionTimestamp === undefined) return status;
  if (pod.status?.reason === NODE_LOST) return "Unknown";
  const ended = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  return ended ? status : "Terminating";
}

function summarize(pod: Pod): Summary {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isRestartableInitContainer).map(({ name }) => name));
  const total = (pod.spec?.containers.length ?? 0) + sidecars.size;
  const initStatuses = pod.status?.initContainerStatuses ?? [];
  const init = initSummary(pod, sidecars);
  if (init.blockedBy !== undefined && !hasCondition(pod, "Initialized")) {
    return { ready: init.ready, total, status: deletionText(pod, init.blockedBy), ...restartsOf(initStatuses) };
  }
  const main = mainSummary(pod, init.blockedBy ?? phaseText(pod));
  const counted = [...initStatuses.filter(({ name }) => sidecars.has(name)), ...(pod.status?.containerStatuses ?? [])];
  return { ready: init.ready + main.ready, total, status: deletionText(pod, main.status), ...restartsOf(counted) };
}

/** One summary serves all the columns of a row. */
const summaries = new WeakMap<Pod, Summary>();

function summaryOf(pod: Pod): Summary {
  const known = summaries.get(pod);
  if (known !== undefined) return known;
  const made = summarize(pod);
  summaries.set(pod, made);
  return made;
}

function restartsText({ restarts, lastRestart }: Summary, nowMs: number): string {
  return restarts === 0 || lastRestart === undefined ? `${restarts}` : `${restarts} (${ago(lastRestart, nowMs)} ago)`;
}

function readinessGatesText(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  const open = gates.filter(({ conditionType }) => hasCondition(pod, conditionType));
  return gates.length === 0 ? NONE : `${open.length}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  {
    name: "Ready",
    type: "string",
    description: "The aggregate readiness state of this pod for accepting traffic.",
    value: (pod) => `${summaryOf(pod).ready}/${summaryOf(pod).total}`,
  },
  {
    name: "Status",
    type: "string",
    description: "The aggregate status of the containers in this pod.",
    value: (pod) => summaryOf(pod).status,
  },
  {
    name: "Restarts",
    type: "string",
    description:
      "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
    value: (pod, { nowMs }) => restartsText(summaryOf(pod), nowMs),
  },
  ageColumn,
  { name: "IP", type: "string", priority: 1, value: (pod) => pod.status?.podIPs?.[0]?.ip || NONE },
  { name: "Node", type: "string", priority: 1, value: (pod) => pod.spec?.nodeName || NONE },
  { name: "Nominated Node", type: "string", priority: 1, value: (pod) => pod.status?.nominatedNodeName || NONE },
  { name: "Readiness Gates", type: "string", priority: 1, value: readinessGatesText },
];

const ENDED: Readonly<Record<string, { readonly reason: string; readonly message: string }>> = {
  Succeeded: { reason: "Succeeded", message: "The pod has completed successfully." },
  Failed: { reason: "Failed", message: "The pod failed." },
};

/** Source: printers.go podSuccessConditions, podFailedConditions. */
export function podRowConditions({ status }: Pod): RowCondition[] | undefined {
  const ended = ENDED[status?.phase ?? ""];
  return ended && [{ type: "Completed", status: "True", ...ended }];
}
