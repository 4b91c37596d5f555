/**
 * A client that remembers what it wrote, so that the next decision can wait until the informers have seen it.
 *
 * The trap that this closes: a controller creates three pods, its cache does not show them yet, it decides again and
 * creates three more.
 */
import type { KindDefinition } from "../machinery/defineKind.ts";
import { isApiError } from "../machinery/errors.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { Client } from "./client.ts";
import type { Informer } from "./informer.ts";
import { namespacedKey } from "./objectKey.ts";
import type { SharedInformers } from "./sharedInformers.ts";

export interface OwnWrites {
  readonly client: Client;
  /** Resolves once everything written through `client` so far has been seen. Kinds without an informer do not count. */
  seen(): Promise<void>;
  /** Everything written so far has been seen. */
  readonly areSeen: boolean;
}

interface OwnWrite {
  readonly informer: Informer<KubeObject>;
  readonly isSeen: () => boolean;
}

export function trackOwnWrites(client: Client, informers: SharedInformers): OwnWrites {
  const writes: OwnWrite[] = [];
  const informerOf = (kind: { group: string; plural: string }) => informers.existing(kind as never);

  const written = async <T extends KubeObject>(kind: KindDefinition<T>, result: Promise<T>): Promise<T> => {
    const object = await result;
    const informer = informerOf(kind);
    const resourceVersion = object.metadata?.resourceVersion;
    if (informer !== undefined && resourceVersion !== undefined && resourceVersion !== "") {
      writes.push({ informer, isSeen: () => informer.hasSeen(resourceVersion) });
    }
    return object;
  };

  const tracked: Client = {
    ...client,
    create: (kind, object, options) =>
      options?.dryRun === true
        ? client.create(kind, object, options)
        : written(kind, client.create(kind, object, options)),
    update: (kind, object, options) => written(kind, client.update(kind, object, options)),
    patch: (kind, target, type, patch, options) => written(kind, client.patch(kind, target, type, patch, options)),
    delete: async (kind, target, options) => {
      const informer = informerOf(kind);
      const key = namespacedKey(target.namespace, target.name);
      const uid = informer?.get(key)?.metadata.uid;
      const remember = () => {
        if (informer === undefined || uid === undefined) return;
        writes.push({ informer, isSeen: () => isGoneOrGoing(informer.get(key), uid) });
      };
      try {
        const result = await client.delete(kind, target, options);
        remember();
        return result;
      } catch (error) {
        if (isApiError(error, "NotFound")) remember();
        throw error;
      }
    },
  };
  return {
    client: tracked,
    get areSeen() {
      return writes.every((write) => write.isSeen());
    },
    async seen() {
      await Promise.all(writes.map(({ informer, isSeen }) => informer.when(isSeen)));
    },
  };
}

const isGoneOrGoing = (object: KubeObject | undefined, uid: string): boolean =>
  object === undefined || object.metadata.uid !== uid || object.metadata.deletionTimestamp !== undefined;
