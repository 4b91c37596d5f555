/** A cluster of nodes and nothing else, for tests of plugins. */
import type { ClusterView } from "../framework.ts";
import type { NodeInfo } from "../nodeInfo.ts";

export const clusterOf = (nodes: readonly NodeInfo[], more: Partial<ClusterView> = {}): ClusterView => ({
  nodes,
  namespaceLabels: (name) => ({ "kubernetes.io/metadata.name": name }),
  ownSelector: () => undefined,
  nominatedTo: () => [],
  ...more,
});
