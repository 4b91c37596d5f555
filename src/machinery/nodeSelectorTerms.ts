/** Which nodes `nodeSelector` and node affinity mean, for all who ask: scheduler, controllers and kubelet. */
import { type NodeSelectorRequirement, nodeRequirementMatches } from "./labelSelector.ts";

export interface NodeSelectorTermLike {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

export interface NodeIdentity {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A term without requirements matches nothing. Source: component-helpers scheduling/corev1/nodeaffinity. */
export function nodeTermMatches(term: NodeSelectorTermLike, { name, labels = {} }: NodeIdentity): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { "metadata.name": name };
  return (
    matchExpressions.every((requirement) => nodeRequirementMatches(requirement, labels)) &&
    matchFields.every((requirement) => nodeRequirementMatches(requirement, fields))
  );
}

export interface NodeRequirements {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms: readonly NodeSelectorTermLike[];
      };
    };
  };
}

/** What a pod's spec demands of its node. Source: as above, GetRequiredNodeAffinity. */
export function nodeRequirementsMatch(spec: NodeRequirements | undefined, node: NodeIdentity): boolean {
  const { labels = {} } = node;
  if (!Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => nodeTermMatches(term, node));
}
