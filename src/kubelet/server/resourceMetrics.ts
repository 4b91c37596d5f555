/** The text of /metrics/resource, which metrics-server reads. Source: kubelet metrics/collectors/resource_metrics.go. */
import { byPod, type ContainerUsage, sumOf, type TimedUsage } from "./usage.ts";

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

export function resourceMetrics(containers: readonly ContainerUsage[], node: TimedUsage): string {
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
