/** Remarks on where a pod may run. Source: pkg/api/pod warnings.go, pkg/api/node util.go (v1.36). */
import type { FieldPath } from "../../../machinery/fieldErrors.ts";
import { labelValueReasons } from "../../../machinery/names.ts";
import type { NodeSelectorTerm, PodAffinity, PodSpec } from "../../generated/core-v1.ts";

const OLD_NODE_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};
const MATCHES_NOTHING = "a null labelSelector results in matching no pod";
const HARD = "requiredDuringSchedulingIgnoredDuringExecution";
const SOFT = "preferredDuringSchedulingIgnoredDuringExecution";

/** What is only preferred may have values that no label has. */
function termWarnings(
  { matchExpressions }: NodeSelectorTerm,
  path: FieldPath,
  { checksValues }: { checksValues: boolean },
) {
  return (matchExpressions ?? []).flatMap(({ key, values }, index) => {
    const at = path.at("matchExpressions").index(index);
    const text = OLD_NODE_LABELS[key];
    const wrong = (values ?? []).flatMap((value, position) =>
      labelValueReasons(value).map((reason) => `${at.at("values").index(position)}: ${value} is invalid, ${reason}`),
    );
    return [...(text === undefined ? [] : [`${at.at("key")}: ${key} is ${text}`]), ...(checksValues ? wrong : [])];
  });
}

function nodeAffinityWarnings({ affinity }: PodSpec, path: FieldPath): string[] {
  const { [HARD]: hard, [SOFT]: soft } = affinity?.nodeAffinity ?? {};
  return [
    ...(hard?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      termWarnings(term, path.at(HARD, "nodeSelectorTerms").index(index), { checksValues: false }),
    ),
    ...(soft ?? []).flatMap(({ preference }, index) =>
      termWarnings(preference, path.at(SOFT).index(index).at("preference"), { checksValues: true }),
    ),
  ];
}

export function placementWarnings(spec: PodSpec, path: FieldPath): string[] {
  const old = Object.keys(spec.nodeSelector ?? {}).flatMap((key) => {
    const text = OLD_NODE_LABELS[key];
    return text === undefined ? [] : [`${path.at("nodeSelector").key(key)}: ${text}`];
  });
  const spread = (spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
    const at = path.at("topologySpreadConstraints").index(index);
    const text = OLD_NODE_LABELS[topologyKey];
    return [
      ...(text === undefined ? [] : [`${at.at("topologyKey")}: ${topologyKey} is ${text}`]),
      ...(labelSelector === undefined ? [`${at.at("labelSelector")}: ${MATCHES_NOTHING}`] : []),
    ];
  });
  return [...old, ...nodeAffinityWarnings(spec, path.at("affinity", "nodeAffinity")), ...spread];
}

export function podAffinityWarnings(affinity: PodAffinity | undefined, path: FieldPath): string[] {
  const terms = [
    ...(affinity?.[HARD] ?? []).map((term, index) => ({ term, at: path.at(HARD).index(index) })),
    ...(affinity?.[SOFT] ?? []).map(({ podAffinityTerm }, index) => ({
      term: podAffinityTerm,
      at: path.at(SOFT).index(index).at("podAffinityTerm"),
    })),
  ];
  return terms
    .filter(({ term }) => term.labelSelector === undefined)
    .map(({ at }) => `${at.at("labelSelector")}: ${MATCHES_NOTHING}`);
}
