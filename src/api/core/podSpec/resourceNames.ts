/** Which resources there are, and who may ask for them. Source: apis/core/helper/helpers.go (v1.36). */
import { type FieldError, type FieldPath, invalid, notSupported } from "../../../machinery/fieldErrors.ts";
import { qualifiedNameReasons } from "../../../machinery/names.ts";
import { quantityMilliValue } from "../../../machinery/quantity.ts";
import { because, nonNegativeQuantity } from "../../checks.ts";
import { isHugePages, isNativeResource, isPodLevelResource } from "./podLevelDefaults.ts";

const COUNTED = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const CONTAINER = ["cpu", "memory", "ephemeral-storage"];
const STANDARD = new Set([
  ...COUNTED,
  ...CONTAINER,
  ...CONTAINER.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  "storage",
  "requests.storage",
]);

const isStandard = (name: string): boolean =>
  STANDARD.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-");

/** Of a device or of anything else that a vendor counts: "example.com/gpu". */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith("requests.") && qualifiedNameReasons(`requests.${name}`).length === 0;

export const isIntegerResource = (name: string): boolean => COUNTED.includes(name) || isExtendedResource(name);

/** Source: core/validation validateResourceName. */
function resourceNameErrors(name: string, path: FieldPath): FieldError[] {
  const errors = because(path, name, qualifiedNameReasons(name));
  if (errors.length > 0 || name.includes("/") || isStandard(name)) return errors;
  return [invalid(path, name, "must be a standard resource type or fully qualified")];
}

/** Source: core/validation validateContainerResourceName. */
export function containerResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = resourceNameErrors(name, path);
  if (!name.includes("/")) {
    if (CONTAINER.includes(name) || isHugePages(name)) return errors;
    return [...errors, invalid(path, name, "must be a standard resource for containers")];
  }
  if (isNativeResource(name) || isExtendedResource(name)) return errors;
  return [...errors, invalid(path, name, "doesn't follow extended resource name standard")];
}

/** Source: core/validation validatePodResourceName. */
export function podResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = resourceNameErrors(name, path);
  if (errors.length > 0 || isPodLevelResource(name)) return errors;
  return [notSupported(path, name, ["cpu", "hugepages-", "memory"])];
}

/** Source: core/validation ValidateResourceQuantityValue. */
export function resourceAmount(name: string, amount: string, path: FieldPath): FieldError[] {
  const errors = nonNegativeQuantity(path, amount);
  if (!isIntegerResource(name) || quantityMilliValue(amount) % 1000 === 0) return errors;
  return [...errors, invalid(path, amount, "must be an integer")];
}
