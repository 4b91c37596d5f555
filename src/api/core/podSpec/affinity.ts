/** Where a pod wants to be. Source: core/validation validateAffinity, validateNodeAffinity, … (v1.36). */
import { type FieldError, type FieldPath, forbiddenField, invalid, required } from "../../../machinery/fieldErrors.ts";
import { validateLabelSelector } from "../../../machinery/labelSelector.ts";
import type { LabelSelector } from "../../../machinery/object.ts";
import { nameIsDnsSubdomain } from "../../../machinery/objectMeta.ts";
import { because, each, label, labelValue, qualifiedName } from "../../checks.ts";
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from "../../generated/core-v1.ts";

const NO_OPERATOR = "not a valid selector operator";

function operatorErrors({ operator, values = [] }: NodeSelectorRequirement, path: FieldPath): FieldError[] {
  switch (operator) {
    case "In":
    case "NotIn": {
      const reason = "must be specified when `operator` is 'In' or 'NotIn'";
      return values.length === 0 ? [required(path.at("values"), reason)] : [];
    }
    case "Exists":
    case "DoesNotExist": {
      const reason = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return values.length > 0 ? [forbiddenField(path.at("values"), reason)] : [];
    }
    case "Gt":
    case "Lt": {
      const reason = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      return values.length === 1 ? [] : [required(path.at("values"), reason)];
    }
    default:
      return [invalid(path.at("operator"), operator ?? "", NO_OPERATOR)];
  }
}

/** Values of preferred terms are not checked upstream. */
const expressionErrors =
  (checkValues: boolean) =>
  (requirement: NodeSelectorRequirement, path: FieldPath): FieldError[] => [
    ...operatorErrors(requirement, path),
    ...qualifiedName(path.at("key"), requirement.key ?? ""),
    ...(checkValues ? each(path.at("values"), requirement.values, (value, at) => labelValue(at, value)) : []),
  ];

function fieldErrors({ key, operator, values = [] }: NodeSelectorRequirement, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn") {
    errors.push(invalid(path.at("operator"), operator ?? "", NO_OPERATOR));
  } else if (values.length !== 1) {
    const reason = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(path.at("values"), reason));
  }
  if (key !== "metadata.name") return [...errors, invalid(path.at("key"), key ?? "", "not a valid field selector key")];
  const names = each(path.at("values"), values, (value, at) => because(at, value, nameIsDnsSubdomain(value, false)));
  return [...errors, ...names];
}

const termErrors = (term: NodeSelectorTerm, checkValues: boolean, path: FieldPath): FieldError[] => [
  ...each(path.at("matchExpressions"), term.matchExpressions, expressionErrors(checkValues)),
  ...each(path.at("matchFields"), term.matchFields, fieldErrors),
];

export function validateNodeSelector({ nodeSelectorTerms = [] }: NodeSelector, path: FieldPath): FieldError[] {
  const at = path.at("nodeSelectorTerms");
  if (nodeSelectorTerms.length === 0) return [required(at, "must have at least one node selector term")];
  return each(at, nodeSelectorTerms, (term, index) => termErrors(term, true, index));
}

const weightErrors = (weight: number | undefined, path: FieldPath): FieldError[] =>
  (weight ?? 0) < 1 || (weight ?? 0) > 100 ? [invalid(path, weight ?? 0, "must be in the range 1-100")] : [];

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

const nodeAffinityErrors = (affinity: NodeAffinity, path: FieldPath): FieldError[] => [
  ...(affinity[REQUIRED] ? validateNodeSelector(affinity[REQUIRED], path.at(REQUIRED)) : []),
  ...each(path.at(PREFERRED), affinity[PREFERRED], ({ weight, preference }, at) => [
    ...weightErrors(weight, at.at("weight")),
    ...termErrors(preference ?? {}, false, at.at("preference")),
  ]),
];

function keyErrors(path: FieldPath, keys: readonly string[] | undefined, selector: LabelSelector | undefined) {
  if (!keys?.length) return [];
  if (selector === undefined) return [forbiddenField(path, "must not be specified when labelSelector is not set")];
  return each(path, keys, (key, at) => qualifiedName(at, key));
}

/** Of pod affinity terms and spread constraints alike. Source: ValidateMatchLabelKeysAndMismatchLabelKeys. */
export function validateMatchLabelKeys(
  path: FieldPath,
  { matchLabelKeys, mismatchLabelKeys, labelSelector }: Partial<PodAffinityTerm>,
): FieldError[] {
  const errors = [
    ...keyErrors(path.at("matchLabelKeys"), matchLabelKeys, labelSelector),
    ...keyErrors(path.at("mismatchLabelKeys"), mismatchLabelKeys, labelSelector),
  ];
  // A key of matchLabelKeys may be selected once: that is what merging the keys into the selector leaves.
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys?.lastIndexOf(key) ?? -1;
    if (index >= 0 && selected.has(key)) {
      errors.push(invalid(path.index(index), key, "exists in both matchLabelKeys and labelSelector"));
    }
    selected.add(key);
  }
  const both = each(path.at("matchLabelKeys"), matchLabelKeys, (key, at) =>
    mismatchLabelKeys?.includes(key) ? [invalid(at, key, "exists in both matchLabelKeys and mismatchLabelKeys")] : [],
  );
  return [...errors, ...both];
}

function podTermErrors(term: PodAffinityTerm, path: FieldPath): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces, topologyKey = "" } = term;
  const at = path.at("topologyKey");
  return [
    ...validateLabelSelector(labelSelector, path.at("labelSelector")),
    ...validateLabelSelector(namespaceSelector, path.at("namespaceSelector")),
    ...(namespaces ?? []).flatMap((name) => label(path.at("namespace"), name)),
    ...validateMatchLabelKeys(path, term),
    ...(topologyKey === "" ? [required(at, "can not be empty")] : []),
    ...qualifiedName(at, topologyKey),
  ];
}

const podAffinityErrors = (affinity: PodAffinity, path: FieldPath): FieldError[] => [
  ...each(path.at(REQUIRED), affinity[REQUIRED], podTermErrors),
  ...each(path.at(PREFERRED), affinity[PREFERRED], ({ weight, podAffinityTerm }, at) => [
    ...weightErrors(weight, at.at("weight")),
    ...podTermErrors(podAffinityTerm ?? { topologyKey: "" }, at.at("podAffinityTerm")),
  ]),
];

export function validateAffinity(affinity: Affinity | undefined, path: FieldPath): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  return [
    ...(nodeAffinity ? nodeAffinityErrors(nodeAffinity, path.at("nodeAffinity")) : []),
    ...(podAffinity ? podAffinityErrors(podAffinity, path.at("podAffinity")) : []),
    ...(podAntiAffinity ? podAffinityErrors(podAntiAffinity, path.at("podAntiAffinity")) : []),
  ];
}
