/** What containers use: /stats/summary and /metrics/resource. Source: kubelet server/stats, metrics/collectors. */
import type { Clock } from "../../lib/env.ts";
import type { PodWorkers } from "../podWorkers.ts";
import type { Runtime } from "../runtime.ts";
import { resourceMetrics } from "./resourceMetrics.ts";
import { statsSummary } from "./statsSummary.ts";
import { type ContainerUsage, type NodeUsage, sumOf } from "./usage.ts";

export type { NodeUsage } from "./usage.ts";

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
      return statsSummary(options, all, await node(all), startedAtMs);
    },
    async resourceMetrics() {
      const all = await containers();
      return resourceMetrics(all, await node(all));
    },
  };
}
