/**
 * ConfigMaps and Secrets that pods of this node refer to: each watched by name from the first pod that asks for it to
 * the last, so that no more is read than the node may see and changes arrive at once.
 * Source of the manner: kubelet util/manager/watch_based_manager.go.
 */
import type { ConfigMap, Secret } from "../api/generated/core-v1.ts";
import { configMap as configMapKind, secret as secretKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { Informer } from "../client/informer.ts";
import type { Env } from "../lib/env.ts";
import type { KindDefinition } from "../machinery/defineKind.ts";
import type { KubeObject } from "../machinery/object.ts";

export interface References {
  /** What is there once the first answer has come. @param podUid keeps it watched until `release`. */
  configMap(podUid: string, namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(podUid: string, namespace: string, name: string): Promise<Secret | undefined>;
  /** The pod is gone: what nobody else asked for is no longer watched. */
  release(podUid: string): void;
  stop(): Promise<void>;
}

interface Watched {
  readonly informer: Informer<KubeObject>;
  readonly podUids: Set<string>;
  readonly name: string;
  readonly namespace: string;
}

/** Longest wait for the first answer. Ours. */
const FIRST_ANSWER_MAX_MS = 10_000;

export function createReferences({
  env,
  client,
  onChange,
}: {
  readonly env: Env;
  readonly client: Client;
  /** Called with the pods that asked for what has changed. */
  readonly onChange: (podUid: string) => void;
}): References {
  const watched = new Map<string, Watched>();

  const watch = (kind: KindDefinition<KubeObject>, namespace: string, name: string): Watched => {
    const podUids = new Set<string>();
    const informer = new Informer<KubeObject>({ env, client, kind, namespace, fieldSelector: `metadata.name=${name}` });
    const changed = () => {
      if (informer.hasSynced) for (const uid of podUids) onChange(uid);
    };
    informer.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
    informer.start();
    return { informer, podUids, name, namespace };
  };

  const read = async (kind: KindDefinition<KubeObject>, podUid: string, namespace: string, name: string) => {
    const key = `${kind.plural}/${namespace}/${name}`;
    let entry = watched.get(key);
    if (entry === undefined) {
      entry = watch(kind, namespace, name);
      watched.set(key, entry);
    }
    entry.podUids.add(podUid);
    if (!entry.informer.hasSynced) await firstAnswer(env, entry.informer, `${kind.kind} "${namespace}/${name}"`);
    return entry.informer.find(namespace, name);
  };

  return {
    configMap: async (podUid, namespace, name) =>
      (await read(configMapKind as never, podUid, namespace, name)) as ConfigMap | undefined,
    secret: async (podUid, namespace, name) =>
      (await read(secretKind as never, podUid, namespace, name)) as Secret | undefined,
    release(podUid) {
      for (const [key, { informer, podUids }] of watched) {
        if (!podUids.delete(podUid) || podUids.size > 0) continue;
        watched.delete(key);
        void informer.stop();
      }
    },
    async stop() {
      await Promise.all([...watched.values()].map(({ informer }) => informer.stop()));
      watched.clear();
    },
  };
}

async function firstAnswer(env: Env, informer: Informer<KubeObject>, what: string): Promise<void> {
  const giveUp = new AbortController();
  const tooLate = env.clock.sleep(FIRST_ANSWER_MAX_MS, giveUp.signal).then(
    () => {
      throw new Error(`${what} could not be read in time`);
    },
    () => undefined,
  );
  try {
    await Promise.race([informer.synced(), tooLate]);
  } finally {
    giveUp.abort();
  }
}
