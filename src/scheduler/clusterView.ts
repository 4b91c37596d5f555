/** What plugins see of the cluster, from the informers. */
import type { ReplicaSet } from "../api/generated/apps-v1.ts";
import type { Namespace, Pod, Service } from "../api/generated/core-v1.ts";
import { namespace as namespaceKind, replicaSet as replicaSetKind, service as serviceKind } from "../api/index.ts";
import type { SharedInformers } from "../client/sharedInformers.ts";
import { type Labels, labelSelectorOf, type Selector, selectorFromLabels } from "../machinery/labelSelector.ts";
import { controllerOf } from "../machinery/ownerReferences.ts";
import type { SchedulerCache } from "./cache.ts";
import type { ClusterView } from "./framework.ts";
import type { Nominations } from "./nominations.ts";

const NO_LABELS: Labels = {};

export function clusterViewOf(informers: SharedInformers, cache: SchedulerCache, nominations: Nominations) {
  const namespaces = informers.of<Namespace>(namespaceKind);
  const services = informers.of<Service>(serviceKind);
  const sets = informers.of<ReplicaSet>(replicaSetKind);

  /** Source: plugins/helper/spread.go, DefaultSelector. */
  function ownSelector(pod: Pod): Selector | undefined {
    const { namespace = "" } = pod.metadata;
    let labels: Labels = NO_LABELS;
    for (const { spec } of services.inNamespace(namespace)) {
      const isOwn = spec.selector !== undefined && labelsContain(pod.metadata.labels, spec.selector);
      if (isOwn) labels = { ...labels, ...spec.selector };
    }
    const requirements = [...(selectorFromLabels(labels).requirements ?? [])];
    const controller = controllerOf(pod);
    const set = controller?.kind === "ReplicaSet" ? sets.find(namespace, controller.name) : undefined;
    if (set !== undefined) requirements.push(...(labelSelectorOf(set.spec.selector).requirements ?? []));
    return requirements.length === 0 ? undefined : { requirements };
  }

  return {
    now: (): ClusterView => ({
      nodes: cache.nodes,
      namespaceLabels: (name) => namespaces.get(name)?.metadata.labels ?? NO_LABELS,
      ownSelector,
      nominatedTo: (nodeName) => nominations.on(nodeName),
    }),
    hasSynced: () => namespaces.hasSynced && services.hasSynced && sets.hasSynced,
  };
}

const labelsContain = (labels: Labels | undefined, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => labels?.[key] === value);
