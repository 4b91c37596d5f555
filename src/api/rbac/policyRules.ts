/** What a role may say. Source: apis/rbac/validation (v1.36). */
import { type FieldError, FieldPath, invalid, required } from "../../machinery/fieldErrors.ts";
import { labelSelectorOf, validateLabelSelector } from "../../machinery/labelSelector.ts";
import { each, isEmpty, needed } from "../checks.ts";
import type { ClusterRole, PolicyRule, Role } from "../generated/rbac-v1.ts";

/** Source: ValidatePolicyRule. */
const ruleErrors =
  (isNamespaced: boolean) =>
  ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule, path: FieldPath): FieldError[] => {
    const errors = needed(path.at("verbs"), verbs, "verbs must contain at least one value");
    if (isEmpty(nonResourceURLs)) {
      return [
        ...errors,
        ...needed(path.at("apiGroups"), apiGroups, "resource rules must supply at least one api group"),
        ...needed(path.at("resources"), resources, "resource rules must supply at least one resource"),
      ];
    }
    const urls = path.at("nonResourceURLs");
    if (isNamespaced) {
      errors.push(invalid(urls, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
    }
    if (![apiGroups, resources, resourceNames].every(isEmpty)) {
      const reason = "rules cannot apply to both regular resources and non-resource URLs";
      errors.push(invalid(urls, nonResourceURLs, reason));
    }
    return errors;
  };

export const validateRole = ({ rules }: Role): FieldError[] => each(new FieldPath("rules"), rules, ruleErrors(true));

const selectorsPath = new FieldPath("aggregationRule").at("clusterRoleSelectors");

function aggregationErrors({ aggregationRule }: ClusterRole): FieldError[] {
  if (aggregationRule === undefined) return [];
  const { clusterRoleSelectors: selectors } = aggregationRule;
  if (isEmpty(selectors)) {
    return [required(selectorsPath, "at least one clusterRoleSelector required if aggregationRule is non-nil")];
  }
  return each(selectorsPath, selectors, (selector, path) => {
    const errors = validateLabelSelector(selector, path);
    try {
      labelSelectorOf(selector);
    } catch {
      errors.push(invalid(path, null, "invalid label selector."));
    }
    return errors;
  });
}

export const validateClusterRole = (role: ClusterRole): FieldError[] => [
  ...each(new FieldPath("rules"), role.rules, ruleErrors(false)),
  ...aggregationErrors(role),
];
