/**
 * One requirement of a label selector: a key, an operator and values. The string and the object form both become these.
 * Source: apimachinery labels/selector.go Requirement.
 */
import { errorText, type FieldError, FieldPath, invalid, notSupported } from "./fieldErrors.ts";
import { labelValueReasons, qualifiedNameReasons } from "./names.ts";

export type Labels = Readonly<Record<string, string>>;

/** As in the string form. `gt` and `lt` compare whole numbers. */
export type SelectorOperator = "in" | "notin" | "=" | "==" | "!=" | "exists" | "!" | "gt" | "lt";

export interface SelectorRequirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

/** All of the requirements must hold. `undefined` requirements select nothing. */
export interface Selector {
  readonly requirements: readonly SelectorRequirement[] | undefined;
}

export const EVERYTHING: Selector = { requirements: [] };
export const NOTHING: Selector = { requirements: undefined };

export class SelectorError extends Error {}

const INTEGER = /^[-+]?[0-9]+$/;

export function requirementMatches({ key, operator, values }: SelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt":
      return value !== undefined && comparesAs(operator, value, values);
    default:
      return operator satisfies never;
  }
}

function comparesAs(operator: "gt" | "lt", value: string, [limit, ...more]: readonly string[]): boolean {
  if (limit === undefined || more.length > 0 || !INTEGER.test(limit) || !INTEGER.test(value)) return false;
  return operator === "gt" ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
}

const ALL_OPERATORS = ["in", "notin", "=", "==", "!=", "gt", "lt", "exists", "!"];

/** Checks one requirement. Source: labels.NewRequirement. */
export function requirementErrors(
  { key, operator, values }: SelectorRequirement,
  path = new FieldPath(),
): FieldError[] {
  const errors: FieldError[] = [];
  const keyReasons = qualifiedNameReasons(key);
  if (keyReasons.length > 0) errors.push(invalid(path.at("key"), key, keyReasons.join("; ")));
  const at = path.at("values");
  const unfit = (reason: string) => errors.push(invalid(at, values, reason));
  switch (operator) {
    case "in":
    case "notin":
      if (values.length === 0) unfit("for 'in', 'notin' operators, values set can't be empty");
      break;
    case "=":
    case "==":
    case "!=":
      if (values.length !== 1) unfit("exact-match compatibility requires one single value");
      break;
    case "exists":
    case "!":
      if (values.length !== 0) unfit("values set must be empty for exists and does not exist");
      break;
    case "gt":
    case "lt":
      if (values.length !== 1) unfit("for 'Gt', 'Lt' operators, exactly one value is required");
      errors.push(...integerErrors(values, at));
      break;
    default:
      errors.push(notSupported(path.at("operator"), operator satisfies never, ALL_OPERATORS));
  }
  values.forEach((value, index) => {
    const reasons = labelValueReasons(value);
    if (reasons.length > 0) errors.push(invalid(at.index(index).key(key), value, reasons.join("; ")));
  });
  return errors;
}

const integerErrors = (values: readonly string[], path: FieldPath): FieldError[] =>
  values.flatMap((value, index) =>
    INTEGER.test(value)
      ? []
      : [invalid(path.index(index), value, "for 'Gt', 'Lt' operators, the value must be an integer")],
  );

/** Several errors are joined as utilerrors.Aggregate joins them. */
export function throwIfAny(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const texts = [...new Set(errors.map(errorText))];
  throw new SelectorError(texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`);
}

export function newRequirement(
  key: string,
  operator: SelectorOperator,
  values: readonly string[],
): SelectorRequirement {
  const requirement = { key, operator, values };
  throwIfAny(requirementErrors(requirement));
  return requirement;
}

/** Requirements are kept sorted, so that equal selectors print alike. */
export const byKey = (a: SelectorRequirement, b: SelectorRequirement): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
