import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { configMap } from "../src/api/index.ts";
import { createLog, createRealEnv } from "../src/cluster/realEnv.ts";
import { startCluster } from "../src/cluster/startCluster.ts";
import { sqliteStorage } from "../src/storage/engines/sqlite.ts";
import type { Benchmark } from "./figure.ts";

const CLIENTS = 64;
const SECONDS = 3;
const RUNS = 5;

/** Through the whole API server in this process, each acknowledged only once it is on the disk. */
export const durableCreates: Benchmark = {
  name: "durableCreates",
  run: async () => {
    const samples: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const directory = mkdtempSync("/var/tmp/skiff-bench-");
      const storage = await sqliteStorage({ env: createRealEnv(createLog(2)), path: join(directory, "store.sqlite") });
      const cluster = await startCluster({ nodes: 0, storage });
      const startedMs = performance.now();
      const endMs = startedMs + SECONDS * 1_000;
      let created = 0;
      await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          while (performance.now() < endMs) {
            const name = `c-${created++}`;
            await cluster.client.create(configMap, {
              metadata: { name, namespace: "default" },
              data: { key: "x".repeat(1_500) },
            });
          }
        }),
      );
      samples.push((created / (performance.now() - startedMs)) * 1_000);
      await cluster.stop();
      await storage.close();
      rmSync(directory, { recursive: true, force: true });
    }
    return [{ name: `durable creates, ${CLIENTS} clients`, unit: "per s", samples, aim: "5,000/s" }];
  },
};
