/** How single containers restart, and how they take a resize. Source: core/validation (v1.36). */
import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalid,
  notSupported,
  required,
  tooMany,
} from "../../../machinery/fieldErrors.ts";
import { each, neededOneOf, oneOf, seenBefore } from "../../checks.ts";
import type { Container, ContainerResizePolicy } from "../../generated/core-v1.ts";

const POLICIES = ["Always", "Never", "OnFailure"];
const ACTIONS = ["Restart", "RestartAllContainers"];
const OPERATORS = ["In", "NotIn"];
const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;

/** Source: validateContainerRestartPolicy. */
export function validateRestartRules(container: Container, path: FieldPath): FieldError[] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const at = path.at("restartPolicyRules");
  const errors: FieldError[] = [];
  if (restartPolicy === undefined) {
    if (rules.length === 0) return [];
    errors.push(required(path.at("restartPolicy"), "must specify restartPolicy when restart rules are used"));
  } else errors.push(...oneOf(path.at("restartPolicy"), restartPolicy, POLICIES));
  if (rules.length > RULES_MAX) errors.push(tooMany(at, rules.length, RULES_MAX));
  const ruleErrors = each(at, rules, ({ action, exitCodes }, index) => {
    const found = oneOf(index.at("action"), action, ACTIONS);
    const codes = index.at("exitCodes");
    if (exitCodes === undefined) return [...found, required(codes, "must be specified")];
    found.push(...oneOf(codes.at("operator"), exitCodes.operator, OPERATORS));
    const count = exitCodes.values?.length ?? 0;
    return count > EXIT_CODES_MAX ? [...found, tooMany(codes.at("values"), count, EXIT_CODES_MAX)] : found;
  });
  return [...errors, ...ruleErrors];
}

/** Errors carry the path of the list, as upstream's. Source: validateResizePolicy. */
export function validateResizePolicy(
  policies: readonly ContainerResizePolicy[] | undefined,
  podRestartPolicy: string | undefined,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return each(path, policies, ({ resourceName, restartPolicy }, at) => {
    const errors = seenBefore(seen, resourceName) ? [duplicate(at, resourceName)] : [];
    errors.push(...neededOneOf(path, resourceName, ["cpu", "memory"]));
    if (!restartPolicy) errors.push(required(path));
    else if (restartPolicy !== "NotRequired" && restartPolicy !== "RestartContainer") {
      errors.push(notSupported(path, restartPolicy, ["NotRequired", "RestartContainer"]));
    }
    if (podRestartPolicy === "Never" && restartPolicy !== "NotRequired") {
      const reason = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(invalid(path, restartPolicy, reason));
    }
    return errors;
  });
}
