/** The real API server in memory, in virtual time, with chosen controllers and one node that answers at once. */

import type { Pod } from "../../api/generated/core-v1.ts";
import { kinds, pod as podKind } from "../../api/index.ts";
import { schemas } from "../../api/schemas.ts";
import { namespaceLifecycle } from "../../apiserver/admission/namespaceLifecycle.ts";
import { createApiServer } from "../../apiserver/apiserver.ts";
import { type Client, createClient } from "../../client/client.ts";
import type { RunningController } from "../../client/controller.ts";
import { createSharedInformers, type SharedInformers } from "../../client/sharedInformers.ts";
import { directTransport } from "../../client/transports/direct.ts";
import type { Env } from "../../lib/env.ts";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { timestamp } from "../../machinery/object.ts";
import { memoryStorage } from "../../storage/engines/memory.ts";
import type { ControllerContext } from "../controllerContext.ts";

export interface TestCluster extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly env: Env;
  readonly client: Client;
  readonly informers: SharedInformers;
  /** Moves virtual time on. */
  pass(seconds: number): Promise<void>;
  until(condition: () => boolean | Promise<boolean>, limitSeconds?: number): Promise<void>;
}

export interface TestClusterOptions {
  readonly seed?: string;
  readonly controllers: readonly ((context: ControllerContext) => RunningController)[];
  /** How pods behave on the one node; undefined: nobody looks after them. */
  readonly pods?: PodBehaviour;
}

export interface PodBehaviour {
  readonly readyAfterMs: (pod: Pod) => number | undefined;
  readonly goneAfterMs: number;
}

/** Pods are ready after two seconds and gone one second after they are told to go. */
export const healthyPods: PodBehaviour = { readyAfterMs: () => 2000, goneAfterMs: 1000 };

export async function startTestCluster({ seed = "seed", controllers, pods }: TestClusterOptions): Promise<TestCluster> {
  const clock = new VirtualClock();
  const log = process.env.SKIFF_TEST_LOG === undefined ? silentLog : printingLog;
  const env: Env = { clock, random: seededRandom(seed), log };
  const storage = memoryStorage({ env });
  const server = createApiServer({ env, storage, kinds, schemas, admission: [namespaceLifecycle], bootstrap: true });
  const user = { name: "system:admin", groups: ["system:masters", "system:authenticated"] };
  const client = createClient(directTransport(server.handle, user), "kube-controller-manager");
  const informers = createSharedInformers({ env, client });
  await server.ready;
  const running = controllers.map((start) => start({ env, client, informers }));
  if (pods !== undefined) lookAfterPods({ env, client, informers }, pods);
  informers.start();
  await informers.synced();
  await clock.advance(0);
  return {
    clock,
    env,
    client,
    informers,
    pass: (seconds) => clock.advance(seconds * 1000),
    until: (condition, limitSeconds = 3600) => clock.advanceUntil(condition, limitSeconds * 1000),
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((controller) => controller.stop()));
      await informers.stop();
      await server.close();
      await storage.close();
    },
  };
}

/** The least that a node does: pods become ready, and go when told to. */
function lookAfterPods({ env, client, informers }: ControllerContext, behaviour: PodBehaviour): void {
  const pods = informers.of<Pod>(podKind);
  let nextAddress = 1;
  const seen = new Set<string>();
  const target = ({ metadata }: Pod) => ({ name: metadata.name, namespace: metadata.namespace ?? "" });
  const once = (key: string, delayMs: number, act: () => Promise<unknown>) => {
    if (seen.has(key)) return;
    seen.add(key);
    env.clock.setTimer(delayMs, () => void act().catch((error) => env.log.warn("test node", { error })));
  };
  const look = (pod: Pod) => {
    const { uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      once(`${uid}-`, behaviour.goneAfterMs, () => client.delete(podKind, target(pod), { gracePeriodSeconds: 0 }));
      return;
    }
    const delayMs = behaviour.readyAfterMs(pod);
    if (delayMs === undefined) return;
    const podIP = `10.244.${nextAddress >> 8}.${nextAddress++ & 255}`;
    once(uid, delayMs, async () => {
      const current = pods.find(pod.metadata.namespace, pod.metadata.name);
      if (current === undefined) return;
      const at = timestamp(env.clock.now());
      const conditions = ["Ready", "ContainersReady"].map((type) => ({ type, status: "True", lastTransitionTime: at }));
      const status = { ...current.status, phase: "Running", conditions, podIP, podIPs: [{ ip: podIP }], startTime: at };
      await client.update<Pod>(podKind, { ...current, status }, { subresource: "status" });
    });
  };
  pods.addHandler({ onAdd: look, onUpdate: (_, next) => look(next) });
}

const print = (message: string, fields?: object) => console.log(message, fields);
const printingLog: Env["log"] = { debug: print, info: print, warn: print, error: print, child: () => printingLog };
