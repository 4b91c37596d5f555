export interface Backend {
  readonly ip: string;
  readonly port: number;
  /** Runs on the node that the rule is for. */
  readonly local: boolean;
}

export interface Candidate extends Backend {
  readonly ready: boolean;
  readonly servingTerminating: boolean;
  /** Meant for clients on this node, or for those on others; undefined: for all. */
  readonly node?: boolean;
  /** As `node`, for this node's zone. */
  readonly zone?: boolean;
}

/** Which endpoints serve which kind of traffic. */
export interface EndpointGroups {
  /** For the cluster IP. */
  readonly internal: readonly Backend[];
  /** For addresses from outside, and for pods and this node going there. */
  readonly external: readonly Backend[];
  /** For addresses from outside when only this node's endpoints may serve. */
  readonly externalLocal: readonly Backend[];
  /** Some node has an endpoint: where there is none here, traffic is dropped, not refused. */
  readonly anywhere: boolean;
}

/**
 * Ready endpoints, or, when there is none, those that shut down but still serve: cluster-wide and on this node each for
 * itself. Source: kubernetes pkg/proxy/topology.go, CategorizeEndpoints.
 */
export function categorize(candidates: readonly Candidate[], internalLocal: boolean): EndpointGroups {
  const everywhere = usable(closest(candidates));
  const here = usable(candidates.filter((candidate) => candidate.local));
  return {
    internal: internalLocal ? here : everywhere,
    external: everywhere,
    externalLocal: here,
    anywhere: everywhere.length > 0,
  };
}

/**
 * Those that are meant for this node, or else for its zone, if every ready one says whom it is meant for and one of them
 * is meant for it. Source: as above, topologyModeFromHints.
 */
function closest(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  for (const place of ["node", "zone"] as const) {
    const here = ready.filter((candidate) => candidate[place]);
    if (here.length > 0 && ready.every((candidate) => candidate[place] !== undefined)) return here;
  }
  return candidates;
}

function usable(candidates: readonly Candidate[]): Backend[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  const chosen = ready.length > 0 ? ready : candidates.filter((candidate) => candidate.servingTerminating);
  return chosen.map(({ ip, port, local }) => ({ ip, port, local }));
}
