/**
 * Label selectors: the string form of `kubectl get -l` and the object form of specs, both as one list of requirements.
 * Source: apimachinery labels/selector.go, meta/v1 helpers.go, meta/v1/validation.
 */
import { type FieldError, type FieldPath, forbiddenField, invalid, required } from "./fieldErrors.ts";
import { labelValueReasons, qualifiedNameReasons } from "./names.ts";
import type { LabelSelector } from "./object.ts";
import {
  byKey,
  type Labels,
  NOTHING,
  newRequirement,
  requirementMatches,
  type Selector,
  SelectorError,
  type SelectorOperator,
  type SelectorRequirement,
} from "./selectorRequirement.ts";

export { formatSelector, parseLabelSelector } from "./labelSelectorText.ts";
export {
  EVERYTHING,
  type Labels,
  NOTHING,
  requirementErrors,
  requirementMatches,
  type Selector,
  SelectorError,
  type SelectorOperator,
  type SelectorRequirement,
} from "./selectorRequirement.ts";

export function selectorMatches(selector: Selector, labels: Labels | undefined): boolean {
  if (selector.requirements === undefined) return false;
  for (const requirement of selector.requirements) {
    if (!requirementMatches(requirement, labels ?? NO_LABELS)) return false;
  }
  return true;
}

const NO_LABELS: Labels = {};

export const isEverything = ({ requirements }: Selector): boolean => requirements?.length === 0;

/** Equality with each label, as `spec.selector` of a Service or ReplicationController. No labels select everything. */
export const selectorFromLabels = (labels: Labels): Selector => ({
  requirements: Object.entries(labels)
    .map(([key, value]): SelectorRequirement => ({ key, operator: "=", values: [value] }))
    .sort(byKey),
});

const OBJECT_OPERATORS: Readonly<Record<string, SelectorOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

const ofObject = new WeakMap<LabelSelector, Selector>();

/**
 * The selector of a spec. Nothing at all selects nothing, an empty one everything. Remembered per object, since
 * objects are immutable. Throws SelectorError. Source: LabelSelectorAsSelector.
 */
export function labelSelectorOf(selector: LabelSelector | undefined | null): Selector {
  if (selector === undefined || selector === null) return NOTHING;
  const known = ofObject.get(selector);
  if (known !== undefined) return known;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    newRequirement(key, "=", [value]),
  );
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OBJECT_OPERATORS[operator];
    if (known === undefined)
      throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push(newRequirement(key, known, values ?? []));
  }
  const made: Selector = { requirements: requirements.sort(byKey) };
  ofObject.set(selector, made);
  return made;
}

/** Whether a spec's selector selects these labels. */
export const labelSelectorMatches = (selector: LabelSelector | undefined, labels: Labels | undefined): boolean =>
  selectorMatches(labelSelectorOf(selector), labels);

/** What stands in `nodeSelectorTerms[].matchExpressions` and the like, Gt and Lt included. */
export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** An unknown operator matches nothing. Source: component-helpers nodeaffinity. */
export function nodeRequirementMatches({ key, operator, values }: NodeSelectorRequirement, labels: Labels): boolean {
  const known = operator === "Gt" ? "gt" : operator === "Lt" ? "lt" : OBJECT_OPERATORS[operator];
  return known !== undefined && requirementMatches({ key, operator: known, values: values ?? [] }, labels);
}

/** Source: meta/v1/validation ValidateLabels. */
export const validateLabels = (labels: Labels | undefined, path: FieldPath): FieldError[] =>
  Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedNameReasons(key).map((reason) => invalid(path, key, reason)),
    ...labelValueReasons(value).map((reason) => invalid(path, value, reason)),
  ]);

/** Source: meta/v1/validation ValidateLabelSelector. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: FieldPath): FieldError[] {
  if (selector === undefined) return [];
  const errors = validateLabels(selector.matchLabels, path.at("matchLabels"));
  (selector.matchExpressions ?? []).forEach((expression, index) => {
    errors.push(...validateSelectorRequirement(expression, path.at("matchExpressions").index(index)));
  });
  return errors;
}

function validateSelectorRequirement(requirement: NodeSelectorRequirement, path: FieldPath): FieldError[] {
  const { key, operator, values = [] } = requirement;
  const errors: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      errors.push(required(path.at("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      const reason = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenField(path.at("values"), reason));
    }
  } else errors.push(invalid(path.at("operator"), operator, "not a valid selector operator"));
  errors.push(...qualifiedNameReasons(key).map((reason) => invalid(path.at("key"), key, reason)));
  values.forEach((value, index) => {
    errors.push(...labelValueReasons(value).map((reason) => invalid(path.at("values").index(index), value, reason)));
  });
  return errors;
}
