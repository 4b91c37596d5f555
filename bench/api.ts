import { performance } from "node:perf_hooks";
import { configMap, namespace, pod as podKind } from "../src/api/index.ts";
import type { Client } from "../src/client/client.ts";
import { startCluster } from "../src/cluster/startCluster.ts";
import { benchCluster, load } from "./cluster.ts";
import type { Benchmark, Figure } from "./figure.ts";

const SECONDS = 2;
const CLIENTS = [1, 16, 64];
const RUNS = 3;
const PODS = 1_000;
const WATCHERS = 50;

const config = (name: string) => ({ metadata: { name, namespace: "bench" }, data: { key: "x".repeat(1_500) } });

/** Calls per second of `work`, kept up by `clients` loops. */
async function rate(clients: number, work: (client: number, call: number) => Promise<unknown>): Promise<number> {
  const endMs = performance.now() + SECONDS * 1_000;
  const startedMs = performance.now();
  let calls = 0;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < endMs) await work(client, calls++);
    }),
  );
  return (calls / (performance.now() - startedMs)) * 1_000;
}

async function repeated(run: (attempt: number) => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let attempt = 0; attempt < RUNS; attempt++) samples.push(await run(attempt));
  return samples;
}

async function figuresOf(how: string, clientOf: (index: number) => Client): Promise<Figure[]> {
  const figures: Figure[] = [];
  const first = clientOf(0);
  await first.create(namespace, { metadata: { name: "bench" } });
  await first.create(configMap, config("one"));
  for (const clients of CLIENTS) {
    const gets = await repeated(() =>
      rate(clients, (client) => clientOf(client).get(configMap, { namespace: "bench", name: "one" })),
    );
    figures.push({ name: `gets, ${how}, ${clients} clients`, unit: "per s", samples: gets });
    const creates = await repeated((attempt) =>
      rate(clients, (client, call) =>
        clientOf(client).create(configMap, config(`c-${clients}-${attempt}-${client}-${call}`)),
      ),
    );
    figures.push({ name: `creates, ${how}, ${clients} clients`, unit: "per s", samples: creates });
  }
  figures.push(...(await podFigures(how, clientOf)));
  return figures;
}

async function podFigures(how: string, clientOf: (index: number) => Client): Promise<Figure[]> {
  const client = clientOf(0);
  const spec = {
    schedulerName: "nobody",
    containers: [
      {
        name: "c",
        image: "x",
        env: Array.from({ length: 20 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value ${i}` })),
      },
    ],
  };
  for (let index = 0; index < PODS; index++)
    await client.create(podKind, { metadata: { name: `p-${index}`, namespace: "bench" }, spec });
  const lists = await repeated(() => rate(4, (index) => clientOf(index).list(podKind, { namespace: "bench" })));
  const read = await repeated(() => rate(4, (index) => readWhole(clientOf(index))));
  const fanOut = await repeated((attempt) => watchFanOut(clientOf, attempt));
  return [
    { name: `lists of ${PODS} pods, ${how}, 4 clients`, unit: "per s", samples: lists },
    { name: `lists of ${PODS} pods read but not parsed, ${how}, 4 clients`, unit: "per s", samples: read },
    { name: `watch events delivered, ${how}, ${WATCHERS} watchers`, unit: "per s", samples: fanOut },
  ];
}

/** What the server can give: parsing a long list takes its client several times as long as sending takes the server. */
async function readWhole({ transport }: Client): Promise<number> {
  const path = "/api/v1/namespaces/bench/pods";
  let bytes = 0;
  for await (const chunk of await transport.stream({ method: "GET", path })) bytes += chunk.length;
  return bytes;
}

/** Events that all watchers together have received per second, while 16 loops create. */
async function watchFanOut(clientOf: (index: number) => Client, attempt: number): Promise<number> {
  const abort = new AbortController();
  const { metadata } = await clientOf(0).list(configMap, { namespace: "bench", limit: 1 });
  let received = 0;
  const watchers = Array.from({ length: WATCHERS }, async (_, index) => {
    const events = await clientOf(index).watch(configMap, {
      namespace: "bench",
      resourceVersion: metadata.resourceVersion ?? "",
      signal: abort.signal,
    });
    for await (const batch of events) received += batch.length;
  });
  const startedMs = performance.now();
  await rate(16, (client, call) => clientOf(client).create(configMap, config(`w-${attempt}-${client}-${call}`)));
  const perSecond = (received / (performance.now() - startedMs)) * 1_000;
  abort.abort();
  await Promise.allSettled(watchers);
  return perSecond;
}

/** Over HTTPS to a cluster with a durable store, and within the process with one in memory. */
export const api: Benchmark = {
  name: "api",
  run: async () => {
    const cluster = benchCluster("bench");
    cluster.skiff("up", "--runtime", "simulated");
    const clients = Array.from({ length: Math.max(...CLIENTS, WATCHERS) }, () => load(cluster.kubeconfig()));
    try {
      const overHttps = await figuresOf("HTTPS", (index) => clients[index % clients.length] as Client);
      await using library = await startCluster();
      const inProcess = await figuresOf("in-process", () => library.client);
      return [...overHttps, ...inProcess];
    } finally {
      await Promise.all(clients.map((client) => client.transport.close()));
      cluster.delete();
    }
  },
};
