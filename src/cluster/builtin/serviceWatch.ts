/** What a node's service proxy and DNS servers read: one copy for all of them, however many of them run there. */
import { endpointSlice, namespace, node, service } from "../../api/index.ts";
import type { SharedInformers } from "../../client/sharedInformers.ts";
import type { DnsView } from "../../dns/dnsIndex.ts";
import type { ServiceView } from "../../proxy/ruleCache.ts";

/** Source: k8s.io/api core/v1 well_known_labels.go. */
const ZONE_LABEL = "topology.kubernetes.io/zone";

export interface ServiceWatch {
  /** Resolves once everything has been listed. */
  synced(): Promise<void>;
  services(): ServiceView;
  /** The same object until something in it changes. */
  names(): DnsView;
  /** Calls `changed` after every change. @returns how to stop */
  follow(changed: () => void): () => void;
}

/** @param informers of nodes only the own one: its zone is that of the proxy */
export function createServiceWatch(informers: SharedInformers): ServiceWatch {
  const services = informers.of(service);
  const slices = informers.of(endpointSlice);
  const namespaces = informers.of(namespace);
  const nodes = informers.of(node);
  const followers = new Set<() => void>();
  let names: DnsView | undefined;
  const changed = () => {
    names = undefined;
    for (const follower of followers) follower();
  };
  let zone: string | undefined;
  const moved = () => {
    const before = zone;
    zone = nodes.list()[0]?.metadata.labels?.[ZONE_LABEL];
    if (zone !== before) for (const follower of followers) follower();
  };
  nodes.addHandler({ onAdd: moved, onUpdate: moved, onDelete: moved });
  const handler = { onAdd: changed, onUpdate: changed, onDelete: changed };
  for (const informer of [services, slices, namespaces]) informer.addHandler(handler as object);
  return {
    synced: () => informers.synced(),
    services: () => ({ services: services.list(), slices: slices.list(), ...(zone !== undefined && { zone }) }),
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
