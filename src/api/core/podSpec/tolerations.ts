/** Source: core/validation ValidateTolerations (v1.36). */

import { deepEqual } from "../../../machinery/deepEqual.ts";
import {
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalid,
  notSupported,
} from "../../../machinery/fieldErrors.ts";
import { labelValueReasons } from "../../../machinery/names.ts";
import { each, oneOf, qualifiedName } from "../../checks.ts";
import type { Toleration } from "../../generated/core-v1.ts";

export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
/** Lt and Gt are named as supported, and refused: their feature gate is off. */
const OPERATORS = ["Equal", "Exists", "Lt", "Gt"];

function operatorErrors({ operator = "", value = "" }: Toleration, path: FieldPath): FieldError[] {
  if (operator === "Exists") {
    return value === "" ? [] : [invalid(path, value, "value must be empty when `operator` is 'Exists'")];
  }
  if (operator === "Lt" || operator === "Gt") return [notSupported(path, operator, OPERATORS)];
  if (operator !== "Equal" && operator !== "") return [notSupported(path, operator, OPERATORS.slice(0, 2))];
  const reasons = labelValueReasons(value);
  return reasons.length === 0 ? [] : [invalid(path, value, reasons.join(";"))];
}

export const validateTolerations = (tolerations: readonly Toleration[] | undefined, path: FieldPath): FieldError[] =>
  each(path, tolerations, (toleration, at) => {
    const { key = "", operator = "", effect = "", tolerationSeconds } = toleration;
    const errors = key === "" ? [] : qualifiedName(at.at("key"), key);
    if (key === "" && operator !== "Exists") {
      const reason = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(at.at("operator"), operator, reason));
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      errors.push(invalid(at.at("effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    errors.push(...operatorErrors(toleration, at.at("operator")));
    return effect === "" ? errors : [...errors, ...oneOf(at.at("effect"), effect, TAINT_EFFECTS)];
  });

/** A running pod's tolerations only grow, or change in how long they last. Source: validateOnlyAddedTolerations. */
export function validateAddedTolerations(
  next: readonly Toleration[] = [],
  previous: readonly Toleration[] = [],
  path: FieldPath,
): FieldError[] {
  const without = ({ tolerationSeconds: _, ...rest }: Toleration) => rest;
  const kept = previous.every((old) => next.some((one) => deepEqual(without(one), without(old))));
  if (kept) return validateTolerations(next, path);
  return [forbiddenField(path, "existing toleration can not be modified except its tolerationSeconds")];
}
