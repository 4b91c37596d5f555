/** Source: core/validation ValidateNode, ValidateNodeUpdate (v1.36). Paths are spelt as upstream spells them. */
import { duplicate, type FieldError, FieldPath, forbiddenField, invalid } from "../../machinery/fieldErrors.ts";

import { parseCidr } from "../../machinery/ipAddress.ts";
import { labelValueReasons } from "../../machinery/names.ts";
import { each, goForm, legacyCidr, neededOneOf, positive, qualifiedName, seenBefore } from "../checks.ts";
import type { Node, Taint } from "../generated/core-v1.ts";
import { resourceAmount } from "./podSpec/resourceNames.ts";
import { TAINT_EFFECTS } from "./podSpec/tolerations.ts";

const metadataPath = new FieldPath("metadata");
const specPath = new FieldPath("spec");
const statusPath = new FieldPath("status");

const FEATURE_NAME_LENGTH_MAX = 253;
const FEATURE_NAME = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;

function taintErrors(taints: readonly Taint[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return each(metadataPath.at("taints"), taints, (taint, at) => {
    const { key = "", value = "", effect } = taint;
    const reasons = labelValueReasons(value);
    const errors = [
      ...qualifiedName(at.at("key"), key),
      ...(reasons.length > 0 ? [invalid(at.at("value"), value, reasons.join(";"))] : []),
      ...neededOneOf(at.at("effect"), effect, TAINT_EFFECTS),
    ];
    if (!seenBefore(seen, `${effect}/${key}`)) return errors;
    const shown = { ...goForm(taint, ["Key", "Value", "Effect", "TimeAdded"]), Value: value };
    const { type, field, body } = duplicate(at, shown);
    return [...errors, { type, field, body: `${body}: taints must be unique by key and effect pair` }];
  });
}

const resourceErrors = ({ status }: Node): FieldError[] =>
  (["capacity", "allocatable"] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, amount]) =>
      resourceAmount(name, amount, statusPath.at(field, name)),
    ),
  );

function featureReason(name: string): string | undefined {
  const shown = `invalid feature name ${JSON.stringify(name)}`;
  if (name.length > FEATURE_NAME_LENGTH_MAX) {
    return `${shown}: must be no more than ${FEATURE_NAME_LENGTH_MAX} characters`;
  }
  if (FEATURE_NAME.test(name)) return undefined;
  return `${shown}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`;
}

const featureErrors = (features: readonly string[] = []): FieldError[] =>
  each(statusPath.at("declaredFeatures"), features, (name, at, index) => {
    const reason = featureReason(name);
    const before = features[index - 1];
    const errors = reason === undefined ? [] : [invalid(at, name, reason)];
    if (before === name) errors.push(duplicate(at, name));
    else if (before !== undefined && before > name)
      errors.push(invalid(at, name, "list must be sorted alphabetically"));
    return errors;
  });

function rangeErrors(ranges: readonly string[] = []): FieldError[] {
  const path = specPath.at("podCIDRs");
  const errors = each(path, ranges, (range, at) => legacyCidr(at, range));
  const families = ranges.map((range) => parseCidr(range, { sloppy: true })?.address.family);
  if (new Set(families).size === families.length && ranges.length <= 2) return errors;
  return [...errors, invalid(path, ranges, "may specify no more than one CIDR for each IP family")];
}

export function validateNode(node: Node): FieldError[] {
  const swap = node.status?.nodeInfo?.swap?.capacity;
  const isNew = !node.metadata.resourceVersion;
  return [
    ...taintErrors(node.spec?.taints),
    ...resourceErrors(node),
    ...(isNew && swap !== undefined ? positive(metadataPath.at("nodeSwapStatus", "capacity"), swap) : []),
    ...featureErrors(node.status?.declaredFeatures),
    ...(isNew ? rangeErrors(node.spec?.podCIDRs) : []),
  ];
}

const ONCE = 'except from "" to valid';

export function validateNodeUpdate(next: Node, previous: Node): FieldError[] {
  const [spec, before] = [next.spec ?? {}, previous.spec ?? {}];
  const seen = new Set<string>();
  const errors = each(statusPath.at("addresses"), next.status?.addresses, (address, at) =>
    seenBefore(seen, `${address.type}/${address.address}`) ? [duplicate(at, goForm(address, ["Type", "Address"]))] : [],
  );
  const ranges = before.podCIDRs ?? [];
  const kept =
    ranges.length === spec.podCIDRs?.length && ranges.every((range, index) => spec.podCIDRs?.[index] === range);
  if (ranges.length > 0 && !kept) {
    errors.push(forbiddenField(specPath.at("podCIDRs"), `node updates may not change podCIDR ${ONCE}`));
  }
  if (before.providerID && before.providerID !== spec.providerID) {
    errors.push(forbiddenField(specPath.at("providerID"), `node updates may not change providerID ${ONCE}`));
  }
  if ((before.externalID ?? "") !== (spec.externalID ?? "")) {
    errors.push(forbiddenField(specPath.at("externalID"), "may not be updated"));
  }
  return errors;
}
