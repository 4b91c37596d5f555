/** What containers use: /stats/summary and /metrics/resource. Source: kubelet server/stats, metrics/collectors. */
import type { Clock } from "../../lib/env.ts";
import { timestamp } from "../../machinery/object.ts";
import type { PodWorkers } from "../podWorkers.ts";
import type { ContainerStats, Runtime } from "../runtime.ts";

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

export interface Stats {
  containers(): Promise<readonly ContainerUsage[]>;
  node(): Promise<NodeUsage & { readonly atMs: number; readonly cpuNanoCores: number | undefined }>;
  /** The JSON of /stats/summary. */
  summary(): Promise<object>;
  /** The text of /metrics/resource. */
  resourceMetrics(): Promise<string>;
}

/** A rate needs samples at least this far apart; nearer ones give the rate before. */
const RATE_WINDOW_MIN_MS = 1000;

interface Sample {
  readonly atMs: number;
  readonly cpuUsageNs: number;
  readonly rate: number | undefined;
}

export interface StatsOptions {
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly workers: PodWorkers;
  readonly nodeName: string;
  readonly memoryBytes: number;
  /** Of the whole node; without it the sum of its containers is told. */
  readonly nodeUsage?: () => Promise<NodeUsage>;
}

export function createStats(options: StatsOptions): Stats {
  const { clock, runtime, workers } = options;
  const samples = new Map<string, Sample>();
  const startedAtMs = clock.now();

  const rateOf = (key: string, atMs: number, cpuUsageNs: number): number | undefined => {
    const before = samples.get(key);
    const elapsedMs = before === undefined ? 0 : atMs - before.atMs;
    if (before !== undefined && elapsedMs < RATE_WINDOW_MIN_MS) return before.rate;
    const rate = before === undefined ? undefined : Math.round(((cpuUsageNs - before.cpuUsageNs) / elapsedMs) * 1000);
    samples.set(key, { atMs, cpuUsageNs, rate });
    return rate;
  };

  const containers = async (): Promise<readonly ContainerUsage[]> => {
    const all = await runtime.stats();
    const alive = new Set(all.map(({ containerId }) => containerId));
    for (const key of samples.keys()) if (key !== "" && !alive.has(key)) samples.delete(key);
    const known = new Map(
      workers
        .list()
        .flatMap(({ state: { pod }, runtimePod }) =>
          runtimePod.containers.map((status) => [status.id, { pod, status }] as const),
        ),
    );
    return all.flatMap((stats) => {
      const found = known.get(stats.containerId);
      if (found === undefined) return [];
      const { uid, name, namespace = "" } = found.pod.metadata;
      const cpuNanoCores = rateOf(stats.containerId, stats.atMs, stats.cpuUsageNs);
      const identity = { podUid: uid, podName: name, namespace, startedAtMs: found.status.startedAtMs ?? 0 };
      return [{ ...stats, ...identity, cpuNanoCores }];
    });
  };

  const node = async (of?: readonly ContainerUsage[]) => {
    const atMs = clock.now();
    const usage = (await options.nodeUsage?.()) ?? sumOf(of ?? (await containers()));
    return { ...usage, atMs, cpuNanoCores: rateOf("", atMs, usage.cpuUsageNs) };
  };

  return {
    containers,
    node,
    async summary() {
      const all = await containers();
      return summaryOf(options, all, await node(all), startedAtMs);
    },
    async resourceMetrics() {
      const all = await containers();
      return metricsText(all, await node(all));
    },
  };
}

const sumOf = (containers: readonly ContainerUsage[]): NodeUsage =>
  containers.reduce(
    (sum, one) => ({
      cpuUsageNs: sum.cpuUsageNs + one.cpuUsageNs,
      memoryWorkingSetBytes: sum.memoryWorkingSetBytes + one.memoryWorkingSetBytes,
      memoryUsageBytes: sum.memoryUsageBytes + one.memoryUsageBytes,
    }),
    { cpuUsageNs: 0, memoryWorkingSetBytes: 0, memoryUsageBytes: 0 },
  );

type Timed = NodeUsage & { readonly atMs: number; readonly cpuNanoCores: number | undefined };

const cpuOf = ({ atMs, cpuUsageNs, cpuNanoCores }: Timed) => ({
  time: timestamp(atMs),
  ...(cpuNanoCores !== undefined && { usageNanoCores: cpuNanoCores }),
  usageCoreNanoSeconds: cpuUsageNs,
});

const memoryOf = ({ atMs, memoryUsageBytes, memoryWorkingSetBytes }: Timed) => ({
  time: timestamp(atMs),
  usageBytes: memoryUsageBytes,
  workingSetBytes: memoryWorkingSetBytes,
});

function byPod(containers: readonly ContainerUsage[]): readonly (readonly ContainerUsage[])[] {
  return [...Map.groupBy(containers, ({ podUid }) => podUid).values()];
}

const rateSum = (containers: readonly ContainerUsage[]): number | undefined =>
  containers.some(({ cpuNanoCores }) => cpuNanoCores === undefined)
    ? undefined
    : containers.reduce((sum, { cpuNanoCores = 0 }) => sum + cpuNanoCores, 0);

function summaryOf(
  { nodeName, memoryBytes }: StatsOptions,
  containers: readonly ContainerUsage[],
  node: Timed,
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

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number, atMs?: number])[];
}

function text({ name, help, type, samples }: Metric): string {
  const lines = samples.map(([labels, value, atMs]) => {
    const list = Object.entries(labels).map(([key, label]) => `${key}="${escaped(label)}"`);
    return `${name}${list.length > 0 ? `{${list.join(",")}}` : ""} ${value}${atMs === undefined ? "" : ` ${atMs}`}`;
  });
  return [`# HELP ${name} [STABLE] ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

/** Source: kubelet metrics/collectors/resource_metrics.go. */
function metricsText(containers: readonly ContainerUsage[], node: Timed): string {
  const labelsOf = ({ name, namespace, podName }: ContainerUsage) => ({ container: name, namespace, pod: podName });
  const pods = byPod(containers).map((own) => {
    const { namespace, podName, atMs } = own[0] as ContainerUsage;
    return { labels: { namespace, pod: podName }, atMs, ...sumOf(own) };
  });
  const seconds = (ns: number) => ns / 1e9;
  const metrics: readonly Metric[] = [
    {
      name: "container_cpu_usage_seconds_total",
      help: "Cumulative cpu time consumed by the container in core-seconds",
      type: "counter",
      samples: containers.map((one) => [labelsOf(one), seconds(one.cpuUsageNs), one.atMs]),
    },
    {
      name: "container_memory_working_set_bytes",
      help: "Current working set of the container in bytes",
      type: "gauge",
      samples: containers.map((one) => [labelsOf(one), one.memoryWorkingSetBytes, one.atMs]),
    },
    {
      name: "container_start_time_seconds",
      help: "Start time of the container since unix epoch in seconds",
      type: "gauge",
      samples: containers.map((one) => [labelsOf(one), one.startedAtMs / 1000]),
    },
    {
      name: "node_cpu_usage_seconds_total",
      help: "Cumulative cpu time consumed by the node in core-seconds",
      type: "counter",
      samples: [[{}, seconds(node.cpuUsageNs), node.atMs]],
    },
    {
      name: "node_memory_working_set_bytes",
      help: "Current working set of the node in bytes",
      type: "gauge",
      samples: [[{}, node.memoryWorkingSetBytes, node.atMs]],
    },
    {
      name: "pod_cpu_usage_seconds_total",
      help: "Cumulative cpu time consumed by the pod in core-seconds",
      type: "counter",
      samples: pods.map(({ labels, cpuUsageNs, atMs }) => [labels, seconds(cpuUsageNs), atMs]),
    },
    {
      name: "pod_memory_working_set_bytes",
      help: "Current working set of the pod in bytes",
      type: "gauge",
      samples: pods.map(({ labels, memoryWorkingSetBytes, atMs }) => [labels, memoryWorkingSetBytes, atMs]),
    },
    {
      name: "resource_scrape_error",
      help: "1 if there was an error while getting container metrics, 0 otherwise",
      type: "gauge",
      samples: [[{}, 0]],
    },
  ];
  return metrics.map(text).join("");
}
