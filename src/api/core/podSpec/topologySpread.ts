/** Source: core/validation validateTopologySpreadConstraints (v1.36). */
import { duplicate, type FieldError, type FieldPath, invalid } from "../../../machinery/fieldErrors.ts";
import { validateLabelSelector } from "../../../machinery/labelSelector.ts";
import { each, needed, oneOf, optionalOneOf, positive } from "../../checks.ts";
import type { TopologySpreadConstraint } from "../../generated/core-v1.ts";
import { validateMatchLabelKeys } from "./affinity.ts";

const INCLUSION_POLICIES = ["Honor", "Ignore"];

function minDomainsErrors({ minDomains, whenUnsatisfiable }: TopologySpreadConstraint, path: FieldPath): FieldError[] {
  if (minDomains === undefined) return [];
  const errors = positive(path, minDomains);
  if (whenUnsatisfiable === "DoNotSchedule") return errors;
  const reason = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
  return [...errors, invalid(path, minDomains, reason)];
}

export const validateTopologySpread = (
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: FieldPath,
): FieldError[] =>
  each(path, constraints, (constraint, at, index) => {
    const { maxSkew, topologyKey, whenUnsatisfiable, nodeAffinityPolicy, nodeTaintsPolicy } = constraint;
    const repeated = (constraints ?? [])
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    return [
      ...positive(at.at("maxSkew"), maxSkew),
      ...needed(at.at("topologyKey"), topologyKey, "can not be empty"),
      ...oneOf(at.at("whenUnsatisfiable"), whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"]),
      ...(repeated
        ? [duplicate(at.at("{topologyKey, whenUnsatisfiable}"), `{${topologyKey}, ${whenUnsatisfiable}}`)]
        : []),
      ...minDomainsErrors(constraint, at.at("minDomains")),
      ...optionalOneOf(at.at("nodeAffinityPolicy"), nodeAffinityPolicy, INCLUSION_POLICIES),
      ...optionalOneOf(at.at("nodeTaintsPolicy"), nodeTaintsPolicy, INCLUSION_POLICIES),
      ...validateMatchLabelKeys(at, constraint),
      ...validateLabelSelector(constraint.labelSelector, at.at("labelSelector")),
    ];
  });
