/** Cluster addresses and their families. Source: core/validation ValidateServiceClusterIPsRelatedFields (v1.36). */
import { duplicate, type FieldError, FieldPath, invalid, notSupported, required } from "../../machinery/fieldErrors.ts";
import { parseIp } from "../../machinery/ipAddress.ts";
import { each, legacyIp, optionalOneOf, seenBefore } from "../checks.ts";
import type { ServiceSpec } from "../generated/core-v1.ts";

const specPath = new FieldPath("spec");
const addressesPath = specPath.at("clusterIPs");
const familiesPath = specPath.at("ipFamilies");
const policyPath = specPath.at("ipFamilyPolicy");

const FAMILIES = ["IPv4", "IPv6"];
const POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const CHANGED = "may not change once set";

export const isHeadless = ({ clusterIPs }: ServiceSpec): boolean =>
  clusterIPs?.length === 1 && clusterIPs[0] === "None";

const familyOf = (address: string): string | undefined => {
  const parsed = parseIp(address, { sloppy: true });
  return parsed === undefined ? undefined : `IPv${parsed.family}`;
};

/** The singular field and the first of the plural one say the same. */
function pairErrors({ clusterIP = "", clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (clusterIP === "") {
    const reason = "must be empty when `clusterIP` is not specified";
    return clusterIPs.length === 0 ? [] : [invalid(addressesPath, clusterIPs, reason)];
  }
  if (clusterIPs.length === 0) return [required(addressesPath)];
  return clusterIPs[0] === clusterIP ? [] : [invalid(addressesPath, clusterIPs, "first value must match `clusterIP`")];
}

function familyErrors({ ipFamilies, ipFamilyPolicy }: ServiceSpec): FieldError[] {
  const seen = new Set<string>();
  return [
    ...each(familiesPath, ipFamilies, (family, at) => [
      ...(FAMILIES.includes(family) ? [] : [notSupported(at, family, FAMILIES)]),
      ...(seenBefore(seen, family) ? [duplicate(at, family)] : []),
    ]),
    ...optionalOneOf(policyPath, ipFamilyPolicy, POLICIES),
  ];
}

function addressErrors(addresses: readonly string[], before: readonly string[]): FieldError[] {
  return each(addressesPath, addresses, (address, at, index) => {
    if (index > 0 || address !== "None") return legacyIp(at, address, before);
    const reason = "'None' must be the first and only value";
    return addresses.length > 1 ? [invalid(addressesPath, addresses, reason)] : [];
  });
}

const matchErrors = (addresses: readonly string[], families: readonly string[]): FieldError[] =>
  each(addressesPath, addresses.slice(0, families.length), (address, at, index) => {
    const family = families[index];
    const known = family === "IPv4" || family === "IPv6";
    if (!known || familyOf(address) === family) return [];
    return [invalid(at, address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``)];
  });

export function validateServiceAddresses(spec: ServiceSpec, before: readonly string[]): FieldError[] {
  if (spec.type === "ExternalName") return [];
  const { clusterIPs = [], ipFamilies = [] } = spec;
  const errors = [...pairErrors(spec), ...familyErrors(spec)];
  const wrong = addressErrors(clusterIPs, before);
  errors.push(...wrong);
  if (clusterIPs.length > 2) errors.push(invalid(addressesPath, clusterIPs, "may only hold up to 2 values"));
  if (wrong.length > 0) return errors;
  const families = clusterIPs.map(familyOf);
  if (clusterIPs.length > 1 && new Set(families).size < families.length) {
    errors.push(invalid(addressesPath, clusterIPs, "may specify no more than one IP for each IP family"));
  }
  return isHeadless(spec) ? errors : [...errors, ...matchErrors(clusterIPs, ipFamilies)];
}

/** Source: validateUpgradeDowngradeClusterIPs. */
function addressChangeErrors(next: ServiceSpec, previous: ServiceSpec): FieldError[] {
  const [after, before] = [next.clusterIPs ?? [], previous.clusterIPs ?? []];
  if (isHeadless(next) && isHeadless(previous)) return [];
  if (after.length === before.length) {
    return each(addressesPath, before, (address, at, index) =>
      after[index] === address ? [] : [invalid(at, after, CHANGED)],
    );
  }
  const first = addressesPath.index(0);
  const errors: FieldError[] = [];
  if (after.length === 0) errors.push(invalid(first, after, "primary clusterIP can not be unset"));
  else if (before.length > 0 && after[0] !== before[0]) errors.push(invalid(first, after, CHANGED));
  if (before.length > after.length && after.length === 1 && next.ipFamilyPolicy !== "SingleStack") {
    const reason = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(invalid(policyPath, next.ipFamilyPolicy, reason));
  }
  return errors;
}

/** Source: validateUpgradeDowngradeIPFamilies. */
function familyChangeErrors(next: ServiceSpec, previous: ServiceSpec): FieldError[] {
  if (isHeadless(next) || isHeadless(previous)) return [];
  const [after, before] = [next.ipFamilies ?? [], previous.ipFamilies ?? []];
  const first = familiesPath.index(0);
  if (after.length === before.length) {
    return before.flatMap((family, index) => (after[index] === family ? [] : [invalid(first, after, CHANGED)]));
  }
  const errors: FieldError[] = [];
  const shrinks = before.length > after.length;
  if (shrinks && (next.clusterIPs ?? []).length === 0) {
    errors.push(invalid(first, after, "primary ipFamily can not be unset"));
  }
  if (before.length > 0 && after.length > 0 && after[0] !== before[0]) {
    errors.push(invalid(first, next.clusterIPs, CHANGED));
  }
  if (shrinks && after.length === 1 && next.ipFamilyPolicy !== "SingleStack") {
    const reason = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.push(invalid(policyPath, next.ipFamilyPolicy, reason));
  }
  return errors;
}

export const validateServiceAddressUpdate = (next: ServiceSpec, previous: ServiceSpec): FieldError[] =>
  next.type === "ExternalName" || previous.type === "ExternalName"
    ? []
    : [...addressChangeErrors(next, previous), ...familyChangeErrors(next, previous)];
