import type { Env } from "../lib/env.ts";
import type { AnyKind, KindDefinition } from "../machinery/defineKind.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { Client } from "./client.ts";
import { Informer, type InformerOptions } from "./informer.ts";
import { Outage } from "./outage.ts";

/** One informer per kind for everything in the process that reads that kind. */
export interface SharedInformers {
  /** The informer of a kind; asked for the first time it is made and, once `start` has been called, started. */
  of<T extends KubeObject>(kind: KindDefinition<T>): Informer<T>;
  /** The informer of a kind, if anybody has asked for it. */
  existing(kind: AnyKind): Informer<KubeObject> | undefined;
  /** Starts what has been asked for, and from then on what will be. Twice is harmless. */
  start(): void;
  /** Resolves when everything asked for so far has its first list. */
  synced(): Promise<void>;
  stop(): Promise<void>;
}

export interface SharedInformersOptions {
  readonly env: Env;
  readonly client: Client;
  /** Selects what is read of a kind: a kubelet wants only the pods of its node. */
  readonly selections?: readonly Selection[];
}

export interface Selection {
  readonly kind: AnyKind;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export function createSharedInformers({ env, client, selections = [] }: SharedInformersOptions): SharedInformers {
  const outage = new Outage(env);
  const informers = new Map<string, Informer<KubeObject>>();
  let isStarted = false;
  return {
    of<T extends KubeObject>(kind: KindDefinition<T>): Informer<T> {
      const key = resourceKey(kind);
      let informer = informers.get(key) as Informer<T> | undefined;
      if (informer === undefined) {
        const selection = selections.find((candidate) => resourceKey(candidate.kind) === key);
        const options: InformerOptions<T> = { ...selection, env, client, kind, outage };
        informer = new Informer(options);
        informers.set(key, informer as unknown as Informer<KubeObject>);
        if (isStarted) informer.start();
      }
      return informer;
    },
    existing: (kind) => informers.get(resourceKey(kind)),
    start() {
      isStarted = true;
      for (const informer of informers.values()) informer.start();
    },
    async synced() {
      await Promise.all([...informers.values()].map((informer) => informer.synced()));
    },
    async stop() {
      await Promise.all([...informers.values()].map((informer) => informer.stop()));
    },
  };
}

const resourceKey = ({ group, plural }: { readonly group: string; readonly plural: string }) => `${group}/${plural}`;
