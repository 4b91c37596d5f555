import { type BenchCluster, benchCluster, cpuMs, pssMiB } from "./cluster.ts";
import type { Benchmark, Figure } from "./figure.ts";

const SETTLE_MS = 60_000;
const MEASURE_MS = 60_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(cluster: BenchCluster, what: string): Promise<Figure[]> {
  await sleep(SETTLE_MS);
  const before = cluster.processes();
  const pss = pssMiB(before);
  const cpuBeforeMs = cpuMs(before);
  await sleep(MEASURE_MS);
  const percent = ((cpuMs(before) - cpuBeforeMs) / MEASURE_MS) * 100;
  return [
    { name: `summed PSS of our processes, ${what}`, unit: "MiB", samples: [pss], aim: "220 MiB" },
    { name: `CPU while idle, ${what}`, unit: "% of a core", samples: [percent], aim: "1 %" },
  ];
}

/** One node, a minute after Ready, over a minute. Containers of the sample do not count; conmon does. */
export const idle: Benchmark = {
  name: "idle",
  run: async () => {
    const cluster = benchCluster("bench");
    try {
      cluster.skiff("up");
      const empty = await measure(cluster, "no pods");
      cluster.skiff("up", "--sample");
      return [...empty, ...(await measure(cluster, "with the sample"))];
    } finally {
      cluster.delete();
    }
  },
};
