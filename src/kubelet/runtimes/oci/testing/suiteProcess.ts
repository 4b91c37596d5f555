/**
 * Stands for a node agent in tests: runs inside a node's namespaces, and there the cases of the suite that it is told to
 * over its IPC channel. A process of its own, because namespaces belong to processes, and to be killed.
 */

import { mkdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { realClock, realRandom } from "../../../../cluster/realEnv.ts";
import { findProgram } from "../../../../lib/findProgram.ts";
import { silentLog } from "../../../../lib/silentLog.ts";
import { packImage } from "../../../images/pack.ts";
import { ImageStore } from "../../../images/store.ts";
import { readNodeEnvironment } from "../../../nodeEnvironment/nodeEnvironment.ts";
import type { PodNetwork } from "../../../podNetwork.ts";
import { runtimeSuite } from "../../runtimeSuite.ts";
import { startPod } from "../../testing/pod.ts";
import type { SuiteContext } from "../../testing/runtimeCase.ts";
import { openOciRuntime } from "../ociRuntime.ts";

export type Order =
  | { readonly id: number; readonly do: "case"; readonly name: string }
  | { readonly id: number; readonly do: "start"; readonly script: string; readonly sharesProcesses?: boolean }
  | { readonly id: number; readonly do: "status"; readonly containerId: string }
  | { readonly id: number; readonly do: "serve" }
  | { readonly id: number; readonly do: "clean" };

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

const IMAGE = "suite:1";
const TOOLS = [
  "sh",
  "cat",
  "sleep",
  "echo",
  "hostname",
  "id",
  "touch",
  "ps",
  "grep",
  "readlink",
  "tail",
  "dd",
  "stty",
  "nc",
  "true",
  "test",
];

const [directory = "", ociRuntime = ""] = process.argv.slice(2);
const environment = readNodeEnvironment(join(directory, "run"));
if (environment === undefined) throw new Error(`no node in ${directory}`);
const store = new ImageStore({ directory: join(directory, "images"), random: realRandom });

/** No network but the loopback; every pod has an address of its own all the same. */
let pods = 0;
const network: PodNetwork = { attach: async () => ({ ips: [`10.244.0.${++pods}`] }), detach: async () => {} };

const open = () =>
  openOciRuntime({
    env: { clock: realClock, random: realRandom, log: silentLog },
    environment,
    store,
    network,
    ociRuntime: findProgram(ociRuntime) as string,
    conmon: findProgram("conmon") as string,
  });

async function prepare(): Promise<void> {
  const links = TOOLS.map((name) => ({ path: `/bin/${name}`, linkTo: "busybox" }));
  const source = findProgram("busybox") as string;
  await packImage(store, { name: IMAGE, programs: [{ source, path: "/bin/busybox" }], files: links });
}

let runtime = await open();

async function clean(): Promise<void> {
  for (const { id } of await runtime.listContainers()) await runtime.removeContainer(id);
  for (const { id } of await runtime.listSandboxes()) await runtime.removeSandbox(id);
}

function contextIn(name: string): SuiteContext {
  return {
    get runtime() {
      return runtime;
    },
    directory: name,
    image: IMAGE,
    async reopen() {
      runtime = await open();
      return runtime;
    },
  };
}

/** A server in this process, but in a pod's network: what is heard by connecting to it there, and here. */
async function serveInPod(context: SuiteContext): Promise<readonly [string, string]> {
  const { sandboxId } = await startPod(context);
  const fd = runtime.bindSocket(sandboxId, { protocol: "tcp", address: "127.0.0.1", port: 5353 });
  const server = createServer((socket) => socket.end("served")).listen({ fd });
  try {
    const inside = await text(await runtime.dial(sandboxId, 5353));
    const here = connect(5353, "127.0.0.1");
    const outside = await text(here).catch((error) => error.code);
    return [inside, outside];
  } finally {
    server.close();
  }
}

async function obey(order: Order): Promise<unknown> {
  const scratch = join(directory, "scratch", String(order.id));
  mkdirSync(scratch, { recursive: true });
  switch (order.do) {
    case "case":
      try {
        return await runtimeSuite.find(({ name }) => name === order.name)?.run(contextIn(scratch));
      } finally {
        await clean();
        rmSync(scratch, { recursive: true });
      }
    case "start":
      return startPod(
        contextIn(scratch),
        { command: ["sh", "-c", order.script] },
        { shareProcessNamespace: order.sharesProcesses ?? false },
      );
    case "status":
      return runtime.containerStatus(order.containerId);
    case "serve":
      return serveInPod(contextIn(scratch));
    case "clean":
      return clean();
  }
}

process.on("message", (order: Order) => {
  obey(order).then(
    (result) => process.send?.({ id: order.id, result } satisfies Answer),
    (error) => process.send?.({ id: order.id, error: error.stack } satisfies Answer),
  );
});
process.on("disconnect", () => process.exit());
await prepare();
process.send?.({ id: 0 } satisfies Answer);
