import { benchCluster } from "./cluster.ts";
import type { Benchmark } from "./figure.ts";

const RUNS = 7;

/** From the command to its return, which is when the node is Ready. */
export const up: Benchmark = {
  name: "up",
  run: async () => {
    const first: number[] = [];
    const restart: number[] = [];
    const down: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const cluster = benchCluster("bench");
      try {
        first.push(cluster.skiff("up"));
        down.push(cluster.skiff("down"));
        restart.push(cluster.skiff("up"));
      } finally {
        cluster.delete();
      }
    }
    return [
      { name: "skiff up to a Ready node, first start", unit: "ms", samples: first, aim: "2 s" },
      { name: "skiff up to a Ready node, restart", unit: "ms", samples: restart, aim: "1 s" },
      { name: "skiff down", unit: "ms", samples: down },
    ];
  },
};
