/** What a node's service proxy and DNS servers read: one copy for all of them, however many of them run there. */
import { endpointSlice, namespace, service } from "../../api/index.ts";
import type { SharedInformers } from "../../client/sharedInformers.ts";
import type { DnsView } from "../../dns/dnsIndex.ts";
import type { ServiceView } from "../../proxy/ruleCache.ts";

export interface ServiceWatch {
  /** Resolves once everything has been listed. */
  synced(): Promise<void>;
  services(): ServiceView;
  /** The same object until something in it changes. */
  names(): DnsView;
  /** Calls `changed` after every change. @returns how to stop */
  follow(changed: () => void): () => void;
}

export function createServiceWatch(informers: SharedInformers): ServiceWatch {
  const services = informers.of(service);
  const slices = informers.of(endpointSlice);
  const namespaces = informers.of(namespace);
  const followers = new Set<() => void>();
  let names: DnsView | undefined;
  const changed = () => {
    names = undefined;
    for (const follower of followers) follower();
  };
  const handler = { onAdd: changed, onUpdate: changed, onDelete: changed };
  for (const informer of [services, slices, namespaces]) informer.addHandler(handler as object);
  return {
    synced: () => informers.synced(),
    services: () => ({ services: services.list(), slices: slices.list() }),
    names: () => {
      names ??= {
        services: services.list(),
        slices: slices.list(),
        namespaces: namespaces.list().map(({ metadata }) => metadata.name),
      };
      return names;
    },
    follow: (follower) => {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}
