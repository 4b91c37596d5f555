/** The JSON of /stats/summary. Source: kubelet pkg/apis/stats/v1alpha1/types.go. */
import { timestamp } from "../../machinery/object.ts";
import { byPod, type ContainerUsage, sumOf, type TimedUsage } from "./usage.ts";

const cpuOf = ({ atMs, cpuUsageNs, cpuNanoCores }: TimedUsage) => ({
  time: timestamp(atMs),
  ...(cpuNanoCores !== undefined && { usageNanoCores: cpuNanoCores }),
  usageCoreNanoSeconds: cpuUsageNs,
});

const memoryOf = ({ atMs, memoryUsageBytes, memoryWorkingSetBytes }: TimedUsage) => ({
  time: timestamp(atMs),
  usageBytes: memoryUsageBytes,
  workingSetBytes: memoryWorkingSetBytes,
});

const rateSum = (containers: readonly ContainerUsage[]): number | undefined =>
  containers.some(({ cpuNanoCores }) => cpuNanoCores === undefined)
    ? undefined
    : containers.reduce((sum, { cpuNanoCores = 0 }) => sum + cpuNanoCores, 0);

export function statsSummary(
  { nodeName, memoryBytes }: { readonly nodeName: string; readonly memoryBytes: number },
  containers: readonly ContainerUsage[],
  node: TimedUsage,
  startedAtMs: number,
): object {
  const availableBytes = Math.max(0, memoryBytes - node.memoryWorkingSetBytes);
  return {
    node: {
      nodeName,
      startTime: timestamp(startedAtMs),
      cpu: cpuOf(node),
      memory: { ...memoryOf(node), availableBytes },
    },
    pods: byPod(containers).map((own) => {
      const first = own[0] as ContainerUsage;
      const sum = { ...sumOf(own), atMs: first.atMs, cpuNanoCores: rateSum(own) };
      return {
        podRef: { name: first.podName, namespace: first.namespace, uid: first.podUid },
        startTime: timestamp(Math.min(...own.map((one) => one.startedAtMs))),
        containers: own.map((one) => ({
          name: one.name,
          startTime: timestamp(one.startedAtMs),
          cpu: cpuOf(one),
          memory: memoryOf(one),
        })),
        cpu: cpuOf(sum),
        memory: memoryOf(sum),
      };
    }),
  };
}
