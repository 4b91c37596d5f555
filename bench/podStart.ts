import { performance } from "node:perf_hooks";
import type { Pod } from "../src/api/generated/core-v1.ts";
import { pod as podKind } from "../src/api/index.ts";
import type { Client } from "../src/client/client.ts";
import { benchCluster, load } from "./cluster.ts";
import { type Benchmark, quantile } from "./figure.ts";

const SINGLE_RUNS = 15;
const BATCH = 20;
const BATCH_RUNS = 5;
const IMAGE = "bench:1";

const podNamed = (name: string) => ({
  metadata: { name, namespace: "default" },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "c", image: IMAGE, command: ["/usr/local/bin/busybox", "sleep", "3600"] }],
  },
});

/** Creates all at once; times in ms from each create to the Running that a watch shows. */
async function startPods(client: Client, names: readonly string[]): Promise<number[]> {
  const list = await client.list(podKind, { namespace: "default" });
  const abort = new AbortController();
  const events = await client.watch(podKind, {
    namespace: "default",
    resourceVersion: list.metadata.resourceVersion ?? "",
    signal: abort.signal,
  });
  const startedMs = new Map<string, number>();
  const tookMs = new Map<string, number>();
  const watching = (async () => {
    for await (const batch of events) {
      for (const { object } of batch as readonly { object: Pod }[]) {
        const { name } = object.metadata;
        const isNew = startedMs.has(name) && !tookMs.has(name);
        if (isNew && object.status.phase === "Running")
          tookMs.set(name, performance.now() - (startedMs.get(name) as number));
      }
      if (tookMs.size === names.length) return;
    }
  })();
  await Promise.all(
    names.map((name) => {
      startedMs.set(name, performance.now());
      return client.create(podKind, podNamed(name));
    }),
  );
  await watching;
  abort.abort();
  return [...tookMs.values()];
}

async function removePods(client: Client, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map((name) => client.delete(podKind, { namespace: "default", name }, { gracePeriodSeconds: 0 })),
  );
  for (;;) {
    const { items } = await client.list(podKind, { namespace: "default" });
    if (items.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Real containers; the image is unpacked already. */
export const podStart: Benchmark = {
  name: "podStart",
  run: async () => {
    const cluster = benchCluster("bench");
    const client = (() => {
      cluster.skiff("up");
      cluster.skiff("image", "pack", IMAGE, "--program", "busybox");
      return load(cluster.kubeconfig());
    })();
    try {
      const single: number[] = [];
      for (let run = 0; run < SINGLE_RUNS; run++) {
        single.push(...(await startPods(client, [`one-${run}`])));
        await removePods(client, [`one-${run}`]);
      }
      const medians: number[] = [];
      const lasts: number[] = [];
      for (let run = 0; run < BATCH_RUNS; run++) {
        const names = Array.from({ length: BATCH }, (_, index) => `many-${run}-${index}`);
        const samples = await startPods(client, names);
        medians.push(quantile(samples, 0.5));
        lasts.push(Math.max(...samples));
        await removePods(client, names);
      }
      return [
        { name: "pod create to Running, one", unit: "ms", samples: single, aim: "p50 150 ms" },
        {
          name: `pod create to Running, ${BATCH} at once, median pod`,
          unit: "ms",
          samples: medians,
          aim: "p50 500 ms",
        },
        { name: `pod create to Running, ${BATCH} at once, last pod`, unit: "ms", samples: lasts, aim: "1 s" },
      ];
    } finally {
      await client.transport.close();
      cluster.delete();
    }
  },
};
