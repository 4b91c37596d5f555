/** What containers and the node use, as the kubelet tells it in several forms. */
import type { ContainerStats } from "../runtime.ts";

export interface NodeUsage {
  /** Cumulative. */
  readonly cpuUsageNs: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
}

export interface ContainerUsage extends ContainerStats {
  readonly podUid: string;
  readonly podName: string;
  readonly namespace: string;
  readonly startedAtMs: number;
  /** Over the time since the sample before; undefined until there are two. */
  readonly cpuNanoCores: number | undefined;
}

/** Of one moment; the rate is undefined until there are two samples. */
export type TimedUsage = NodeUsage & { readonly atMs: number; readonly cpuNanoCores: number | undefined };

export const sumOf = (containers: readonly ContainerUsage[]): NodeUsage =>
  containers.reduce(
    (sum, one) => ({
      cpuUsageNs: sum.cpuUsageNs + one.cpuUsageNs,
      memoryWorkingSetBytes: sum.memoryWorkingSetBytes + one.memoryWorkingSetBytes,
      memoryUsageBytes: sum.memoryUsageBytes + one.memoryUsageBytes,
    }),
    { cpuUsageNs: 0, memoryWorkingSetBytes: 0, memoryUsageBytes: 0 },
  );

export function byPod(containers: readonly ContainerUsage[]): readonly (readonly ContainerUsage[])[] {
  return [...Map.groupBy(containers, ({ podUid }) => podUid).values()];
}
