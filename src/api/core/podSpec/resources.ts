/** Requests and limits. Source: core/validation validateResourceRequirements, validatePodResources (v1.36). */
import {
  duplicate,
  type FieldError,
  type FieldPath,
  fieldNotFound,
  forbiddenField,
  invalid,
  required,
} from "../../../machinery/fieldErrors.ts";
import { compareQuantities, formatQuantity, parseQuantity } from "../../../machinery/quantity.ts";
import { each, label } from "../../checks.ts";
import type { PodSpec, ResourceClaim, ResourceRequirements } from "../../generated/core-v1.ts";
import { aggregateContainerResources } from "./aggregateResources.ts";
import { isHugePages, isOvercommitAllowed } from "./podLevelDefaults.ts";
import { containerResourceName, podResourceName, resourceAmount } from "./resourceNames.ts";

type NameCheck = (name: string, path: FieldPath) => FieldError[];
type Requirements = Pick<ResourceRequirements, "limits" | "requests" | "claims">;

const textOf = (amount: string): string => formatQuantity(parseQuantity(amount));

/** Huge pages come in whole pages. Source: helper.IsHugePageResourceValueDivisible. */
function hugePagesErrors(name: string, amount: string, path: FieldPath): FieldError[] {
  if (!isHugePages(name)) return [];
  const page = parseQuantity(name.slice("hugepages-".length)).nano;
  const { nano } = parseQuantity(amount);
  if (page > 0n && nano % page === 0n) return [];
  return [invalid(path, textOf(amount), `${textOf(amount)} is not positive integer multiple of ${name}`)];
}

function requestAgainstLimit(name: string, amount: string, limit: string | undefined, path: FieldPath): FieldError[] {
  const overcommit = isOvercommitAllowed(name);
  if (limit === undefined) {
    return overcommit ? [] : [required(path.at("limits"), "Limit must be set for non overcommitable resources")];
  }
  const order = compareQuantities(amount, limit);
  if (order !== 0 && !overcommit) {
    return [invalid(path.at("requests"), textOf(amount), `must be equal to ${name} limit of ${textOf(limit)}`)];
  }
  if (order <= 0) return [];
  const reason = `must be less than or equal to ${name} limit of ${textOf(limit)}`;
  return [invalid(path.at("requests"), textOf(amount), reason)];
}

function requirementErrors(
  { limits = {}, requests = {}, claims }: Requirements,
  checkName: NameCheck,
  podClaims: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, amount] of Object.entries(limits)) {
    const at = path.at("limits").key(name);
    errors.push(...checkName(name, at), ...resourceAmount(name, amount, at), ...hugePagesErrors(name, amount, at));
  }
  for (const [name, amount] of Object.entries(requests)) {
    const at = path.at("requests").key(name);
    errors.push(...checkName(name, at), ...resourceAmount(name, amount, at));
    errors.push(...requestAgainstLimit(name, amount, limits[name], path), ...hugePagesErrors(name, amount, at));
  }
  const names = Object.keys({ ...limits, ...requests });
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    errors.push(forbiddenField(path, "HugePages require cpu or memory"));
  }
  return [...errors, ...claimErrors(claims, podClaims, path.at("claims"))];
}

export const validateContainerResources = (
  requirements: Requirements | undefined,
  podClaims: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] => requirementErrors(requirements ?? {}, containerResourceName, podClaims, path);

function duplicateClaim(names: Set<string>, name: string, request: string | undefined): string | undefined {
  if (names.has(name)) return name;
  const key = request ? `${name}/${request}` : name;
  const taken = names.has(key) ? key : [...names].some((known) => !request && known.startsWith(`${name}/`)) && name;
  names.add(key);
  return taken || undefined;
}

/** A container uses whole claims of the pod, or single requests of them. Source: validateResourceClaimNames. */
function claimErrors(
  claims: readonly ResourceClaim[] | undefined,
  podClaims: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const names = new Set<string>();
  const known = podClaims.size === 0 ? " which is empty" : `: ${[...podClaims].sort().join(", ")}`;
  return each(path, claims, ({ name, request }, at) => {
    if (!name) return [required(at)];
    const taken = duplicateClaim(names, name, request);
    return [
      ...(request ? label(at.at("request"), request) : []),
      ...(taken === undefined ? [] : [duplicate(at, taken)]),
      ...(podClaims.has(name)
        ? []
        : [fieldNotFound(at, name, `must be one of the names in pod.spec.resourceClaims${known}`)]),
    ];
  });
}

/** What the pod asks for as a whole must cover its containers. Source: validatePodResourceConsistency. */
function consistencyErrors(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { limits = {}, requests = {} } = spec.resources ?? {};
  for (const [name, amount] of Object.entries(aggregateContainerResources(spec, "requests"))) {
    const own = requests[name];
    if (own === undefined || compareQuantities(amount, own) <= 0) continue;
    const reason = `must be greater than or equal to aggregate container requests of ${textOf(amount)}`;
    errors.push(invalid(path.at("requests").key(name), textOf(own), reason));
  }
  for (const [name, amount] of Object.entries(aggregateContainerResources(spec, "limits"))) {
    const own = limits[name];
    if (own === undefined || !isHugePages(name) || compareQuantities(amount, own) <= 0) continue;
    const reason = `must be greater than or equal to aggregate container limits of ${textOf(amount)}`;
    errors.push(invalid(path.at("limits").key(name), textOf(own), reason));
  }
  const containerErrors = each(path.at("containers"), spec.containers, ({ resources }, at) =>
    Object.entries(resources?.limits ?? {}).flatMap(([name, amount]) => {
      const own = limits[name];
      if (own === undefined || compareQuantities(amount, own) <= 0) return [];
      const reason = `must be less than or equal to pod limits of ${textOf(own)}`;
      return [invalid(at.key(name).at("limits"), textOf(amount), reason)];
    }),
  );
  return [...errors, ...containerErrors];
}

export function validatePodResources(spec: PodSpec, podClaims: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  if (spec.os?.name === "windows") return [forbiddenField(path, "may not be set for a windows pod")];
  return [
    ...(resources.claims === undefined
      ? []
      : [forbiddenField(path.at("claims"), "claims may not be set for Resources at pod-level")]),
    ...requirementErrors(resources, podResourceName, podClaims, path),
    ...consistencyErrors(spec, path),
  ];
}
