/** Requests and limits as the kernel wants them. Source: kubelet cm/helpers_linux.go, qos/policy.go. */
import type { Container, Pod, ResourceRequirements } from "../../api/generated/core-v1.ts";
import { quantityMilliValue, quantityValue } from "../../machinery/quantity.ts";
import { qosClassOf } from "../podLifecycle/qosClass.ts";
import { isSidecar } from "../podLifecycle/runtimePod.ts";
import type { ContainerResources } from "../runtime.ts";

/** Source: cm/helpers_linux.go MinShares, MaxShares, SharesPerCPU, QuotaPeriod, MinQuotaPeriod. */
const SHARES_MIN = 2;
const SHARES_MAX = 262_144;
const SHARES_PER_CPU = 1024;
const PERIOD_US = 100_000;
const QUOTA_MIN_US = 1000;

/** Source: qos/policy.go. */
const OOM_SCORE_GUARANTEED = -997;
const OOM_SCORE_BEST_EFFORT = 1000;
/** Source: apis/scheduling SystemCriticalPriority, 2·10⁹. */
const CRITICAL_PRIORITY_MIN = 2_000_000_000;

export function milliCpuToShares(milliCpu: number): number {
  if (milliCpu === 0) return SHARES_MIN;
  return Math.min(Math.max(Math.floor((milliCpu * SHARES_PER_CPU) / 1000), SHARES_MIN), SHARES_MAX);
}

/** Microseconds per 100 ms; undefined: no limit. */
export function milliCpuToQuota(milliCpu: number): number | undefined {
  if (milliCpu === 0) return undefined;
  return Math.max(Math.floor((milliCpu * PERIOD_US) / 1000), QUOTA_MIN_US);
}

const milli = (amount: string | undefined): number => (amount === undefined ? 0 : quantityMilliValue(amount));
const bytes = (amount: string | undefined): number => (amount === undefined ? 0 : quantityValue(amount));

const isCritical = ({ spec, metadata }: Pod): boolean =>
  (spec.priority ?? 0) >= CRITICAL_PRIORITY_MIN || metadata.annotations?.["kubernetes.io/config.source"] === "file";

/** Who dies first when memory runs out. Source: qos/policy.go GetContainerOOMScoreAdjust. */
export function oomScoreAdjust(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  if (isCritical(pod)) return OOM_SCORE_GUARANTEED;
  const qos = qosClassOf(pod);
  if (qos === "Guaranteed") return OOM_SCORE_GUARANTEED;
  if (qos === "BestEffort") return OOM_SCORE_BEST_EFFORT;
  const requested = bytes(container.resources?.requests?.memory);
  const adjust = 1000 - Math.floor((1000 * requested) / nodeMemoryBytes);
  if (adjust < 1000 + OOM_SCORE_GUARANTEED) return 1000 + OOM_SCORE_GUARANTEED;
  return adjust === OOM_SCORE_BEST_EFFORT ? adjust - 1 : adjust;
}

export function containerResources(
  pod: Pod,
  container: Container,
  { nodeMemoryBytes, podPidsMax }: { readonly nodeMemoryBytes: number; readonly podPidsMax: number | undefined },
): ContainerResources {
  const { requests, limits } = container.resources ?? {};
  const requestMilli = milli(requests?.cpu ?? limits?.cpu);
  const cpuQuotaUs = milliCpuToQuota(milli(limits?.cpu));
  const memoryLimitBytes = bytes(limits?.memory);
  return {
    cpuShares: milliCpuToShares(requestMilli),
    ...(cpuQuotaUs !== undefined && { cpuQuotaUs }),
    ...(memoryLimitBytes > 0 && { memoryLimitBytes }),
    ...(podPidsMax !== undefined && { pidsMax: podPidsMax }),
    oomScoreAdj: oomScoreAdjust(pod, container, nodeMemoryBytes),
  };
}

interface Sums {
  readonly requestMilli: number;
  readonly limitMilli: number;
  readonly limitBytes: number;
}

const sumsOf = (resources: ResourceRequirements | undefined): Sums => ({
  requestMilli: milli(resources?.requests?.cpu ?? resources?.limits?.cpu),
  limitMilli: milli(resources?.limits?.cpu),
  limitBytes: bytes(resources?.limits?.memory),
});

const add = (a: Sums, b: Sums): Sums => ({
  requestMilli: a.requestMilli + b.requestMilli,
  limitMilli: a.limitMilli + b.limitMilli,
  limitBytes: a.limitBytes + b.limitBytes,
});

const most = (a: Sums, b: Sums): Sums => ({
  requestMilli: Math.max(a.requestMilli, b.requestMilli),
  limitMilli: Math.max(a.limitMilli, b.limitMilli),
  limitBytes: Math.max(a.limitBytes, b.limitBytes),
});

/**
 * The pod's own cgroup: what runs at the same time summed up; a limit only where every container has one.
 * Source: cm/helpers_linux.go ResourceConfigForPod.
 */
export function podResources(pod: Pod, podPidsMax: number | undefined): ContainerResources {
  const init = pod.spec.initContainers ?? [];
  const together = [...init.filter(isSidecar), ...pod.spec.containers];
  const zero: Sums = { requestMilli: 0, limitMilli: 0, limitBytes: 0 };
  const running = together.map(({ resources }) => sumsOf(resources)).reduce(add, zero);
  const peak = init
    .filter((container) => !isSidecar(container))
    .map(({ resources }) => sumsOf(resources))
    .reduce(most, running);
  const limitsCpu = together.every(({ resources }) => milli(resources?.limits?.cpu) > 0);
  const limitsMemory = together.every(({ resources }) => bytes(resources?.limits?.memory) > 0);
  const cpuQuotaUs = limitsCpu ? milliCpuToQuota(peak.limitMilli) : undefined;
  return {
    cpuShares: milliCpuToShares(peak.requestMilli),
    ...(cpuQuotaUs !== undefined && { cpuQuotaUs }),
    ...(limitsMemory && { memoryLimitBytes: peak.limitBytes }),
    ...(podPidsMax !== undefined && { pidsMax: podPidsMax }),
  };
}
