/**
 * The shell around every controller. Events only wake it: they become keys in a queue, and `reconcile` reads the
 * informers, plans and acts. What it guarantees:
 *
 * - `reconcile` runs only once all watched kinds have their first list, and never twice at a time for one key;
 * - not again for a key before the informers have seen what it wrote for that key the last time;
 * - a failure is tried again, at first after 5 ms, then ever later, at last every 1000 s.
 */
import type { Env } from "../lib/env.ts";
import type { AnyKind, KindDefinition } from "../machinery/defineKind.ts";
import { isApiError } from "../machinery/errors.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { Client } from "./client.ts";
import { trackOwnWrites } from "./ownWrites.ts";
import type { SharedInformers } from "./sharedInformers.ts";
import { WorkQueue } from "./workQueue.ts";

/** After this long the writes count as seen, whatever the cache shows. Source: controller_utils.go, ExpectationsTimeout. */
const OWN_WRITES_TIMEOUT_MS = 300_000;
/** Source: kube-controller-manager's --concurrent-*-syncs, most of which are 5. */
const WORKERS_DEFAULT = 5;

export interface ControllerWatch {
  readonly kind: AnyKind;
  /** The keys to look at when this object has come, changed or gone; of a change, both states are asked. */
  // biome-ignore lint/suspicious/noExplicitAny: watches of different kinds stand in one list; `watching` types each
  readonly keys: (object: any) => readonly string[];
  /** Whether a change matters; without it every change does. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly changed?: (previous: any, next: any) => boolean;
}

/** A watch whose functions know the object's type. */
export const watching = <T extends KubeObject>(
  kind: KindDefinition<T>,
  keys: (object: T) => readonly string[],
  changed?: (previous: T, next: T) => boolean,
): ControllerWatch => ({ kind, keys, ...(changed !== undefined && { changed }) });

/** Read by the controller, which waits for the first list, but never woken by it. */
export const reading = <T extends KubeObject>(kind: KindDefinition<T>): ControllerWatch => ({ kind, keys: () => [] });

// biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that has nothing to say returns nothing
export type ReconcileResult = { readonly requeueAfterMs: number } | undefined | void;

export interface ControllerOptions {
  readonly name: string;
  readonly env: Env;
  readonly client: Client;
  readonly informers: SharedInformers;
  readonly watches: readonly ControllerWatch[];
  readonly workers?: number;
  /** Stopped with the controller. */
  readonly recorder?: { stop(): void };
  /** @param client notes what is written, so that the next run for this key sees it. */
  readonly reconcile: (key: string, client: Client) => Promise<ReconcileResult>;
}

export interface RunningController {
  readonly name: string;
  /** For keys that no event brings: timers, first runs. */
  readonly queue: WorkQueue;
  stop(): Promise<void>;
}

export function runController(options: ControllerOptions): RunningController {
  const { name, env, informers, watches, workers = WORKERS_DEFAULT } = options;
  const queue = new WorkQueue(env.clock);
  const removals = watches.map((watch) => connect(watch, informers, queue));
  const synced = Promise.all(watches.map(({ kind }) => informers.of(kind).synced()));
  let isStopped = false;
  const work = async () => {
    await synced;
    for (let key = await queue.get(); key !== undefined && !isStopped; key = await queue.get()) {
      await runOnce(options, queue, key);
    }
  };
  const running = Array.from({ length: workers }, work);
  return {
    name,
    queue,
    async stop() {
      isStopped = true;
      for (const remove of removals) remove();
      queue.shutDown();
      options.recorder?.stop();
      const areAllSynced = watches.every(({ kind }) => informers.of(kind).hasSynced);
      if (areAllSynced) await Promise.all(running);
    },
  };
}

function connect({ kind, keys, changed }: ControllerWatch, informers: SharedInformers, queue: WorkQueue): () => void {
  const addKeys = (object: KubeObject) => {
    for (const key of keys(object)) queue.add(key);
  };
  return informers.of(kind as KindDefinition<KubeObject>).addHandler({
    onAdd: addKeys,
    onUpdate(previous, next) {
      if (changed?.(previous, next) === false) return;
      addKeys(previous);
      addKeys(next);
    },
    onDelete: addKeys,
  });
}

async function runOnce(options: ControllerOptions, queue: WorkQueue, key: string): Promise<void> {
  const { env, client, informers, reconcile, name } = options;
  const writes = trackOwnWrites(client, informers);
  try {
    const result = await reconcile(key, writes.client);
    queue.forget(key);
    if (result !== undefined && result !== null) queue.addAfter(key, result.requeueAfterMs);
  } catch (error) {
    const isOrdinary = isApiError(error, "Conflict") || isApiError(error, "NotFound");
    env.log[isOrdinary ? "debug" : "warn"](`${name}: reconciling failed; will try again`, { key, error });
    queue.addRateLimited(key);
  }
  // The key stays in work, without keeping a worker, until the caches are up to date.
  if (writes.areSeen) queue.done(key);
  else void doneOnceSeen(options, queue, key, writes.seen());
}

async function doneOnceSeen({ env, name }: ControllerOptions, queue: WorkQueue, key: string, seen: Promise<void>) {
  const patience = env.clock.setTimer(OWN_WRITES_TIMEOUT_MS, () => {
    env.log.error(`${name}: own writes have not come back; going on without them`, { key });
    queue.done(key);
  });
  await seen;
  patience.cancel();
  queue.done(key);
}
