/** A kubelet with simulated containers on an API server in memory, in virtual time, for tests. */

import type { Pod } from "../api/generated/core-v1.ts";
import { event as eventKind, namespace as namespaceKind, pod as podKind } from "../api/index.ts";
import { testServer } from "../apiserver/testServer.ts";
import type { VirtualClock } from "../lib/virtualClock.ts";
import type { Draft } from "../machinery/object.ts";
import { createKubelet, type KubeletOptions } from "./kubelet.ts";
import { createSimulatedRuntime, type SimulatedRuntimeOptions } from "./runtimes/simulated.ts";
import { createMemoryFiles } from "./volumes/memoryFiles.ts";

export const NODE_NAME = "node-1";

export interface TestKubelet {
  readonly kubelet: ReturnType<typeof createKubelet>;
  readonly clock: VirtualClock;
  readonly pod: (name: string) => Promise<Pod>;
}

type Server = ReturnType<typeof testServer>;

export async function testKubelet(
  options: {
    readonly server?: Server;
    readonly runtime?: Partial<SimulatedRuntimeOptions>;
    readonly kubelet?: Partial<KubeletOptions>;
  } = {},
) {
  const server = options.server ?? testServer();
  const { clock, env, client } = server;
  const files = createMemoryFiles();
  const runtime = createSimulatedRuntime({ env, files, podCidr: "10.244.1.0/24", ...options.runtime });
  const kubelet = createKubelet({
    env,
    client,
    runtime,
    files,
    nodeName: NODE_NAME,
    node: {
      addresses: [
        { type: "InternalIP", address: "192.168.0.2" },
        { type: "Hostname", address: NODE_NAME },
      ],
      cpus: 4,
      memoryBytes: 8 * 2 ** 30,
      ephemeralStorageBytes: 100 * 2 ** 30,
      architecture: "amd64",
    },
    directories: { root: "/var/lib/kubelet", podLogs: "/var/log/pods" },
    cluster: { dns: ["10.96.0.10"], domain: "cluster.local" },
    dial: runtime.dialAddress,
    version: "v1.36.3+skiff.0",
    ...options.kubelet,
  });
  if (options.server === undefined) {
    for (const name of ["default", "kube-node-lease", "kube-system"]) {
      await client.create(namespaceKind, { metadata: { name } }).catch(() => undefined);
    }
  }
  const started = kubelet.start();
  await clock.advance(0);
  await started;
  const pod = (name: string) => client.get(podKind, { name, namespace: "default" });
  return {
    server,
    client,
    clock,
    env,
    files,
    runtime,
    kubelet,
    pod,
    /** Creates a pod that is bound to the node. */
    create: (draft: TestPod) => client.create<Pod>(podKind, podOf(draft)),
    /** "Pulled Container image …", in the order of their making. */
    events: async (name: string) => {
      const { items } = await client.list(eventKind, { namespace: "default" });
      return items
        .filter(({ involvedObject }) => involvedObject.name === name)
        .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map(({ reason, message }) => `${reason}: ${message}`);
    },
    stop: () => kubelet.stop(),
  };
}

export interface TestPod {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<Pod["spec"]>;
}

export const podOf = ({ name, annotations, labels, spec }: TestPod): Draft<Pod> => ({
  metadata: { name, namespace: "default", ...(annotations && { annotations }), ...(labels && { labels }) },
  spec: { containers: [{ name: "app", image: "web:1.0" }], nodeName: NODE_NAME, ...spec },
});
