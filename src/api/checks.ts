/** Single checks of which validation is made. Each returns the errors that it finds. */
import { type FieldError, type FieldPath, invalid, notSupported, required } from "../machinery/fieldErrors.ts";
import { type IpAddress, parseCidr, parseIp, prefixContains } from "../machinery/ipAddress.ts";
import { cidrReasons, ipReasons, legacyCidrReasons, legacyIpReasons } from "../machinery/ipReasons.ts";
import { dns1123Label, dns1123Subdomain, labelValueReasons, qualifiedNameReasons } from "../machinery/names.ts";
import { compareQuantities, formatQuantity, parseQuantity } from "../machinery/quantity.ts";

/** The bounds of Go's integers. */
export const INT32_MAX = 2_147_483_647;

export const NOT_NEGATIVE = "must be greater than or equal to 0";
export const POSITIVE = "must be greater than zero";
/** Source: core/validation fileModeErrorMsg. */
const FILE_MODE_MAX = 0o777;
const FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive";

export const because = (path: FieldPath, value: unknown, reasons: readonly string[]): FieldError[] =>
  reasons.map((reason) => invalid(path, value, reason));

/** What a Go zero value is: left out, "", 0 or an empty list. */
export const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === 0 || (Array.isArray(value) && value.length === 0);

export const needed = (path: FieldPath, value: unknown, detail = ""): FieldError[] =>
  isEmpty(value) ? [required(path, detail)] : [];

export const label = (path: FieldPath, value: string): FieldError[] => because(path, value, dns1123Label(value));
export const subdomain = (path: FieldPath, value: string): FieldError[] =>
  because(path, value, dns1123Subdomain(value));
export const qualifiedName = (path: FieldPath, value: string): FieldError[] =>
  because(path, value, qualifiedNameReasons(value));
export const labelValue = (path: FieldPath, value: string): FieldError[] =>
  because(path, value, labelValueReasons(value));

/** A name that must be there and be a DNS label. */
export const neededLabel = (path: FieldPath, value: string | undefined): FieldError[] =>
  value ? label(path, value) : [required(path)];

export const nonNegative = (path: FieldPath, value: number | undefined): FieldError[] =>
  (value ?? 0) < 0 ? [invalid(path, value, NOT_NEGATIVE)] : [];
export const positive = (path: FieldPath, value: number | undefined): FieldError[] =>
  (value ?? 0) <= 0 ? [invalid(path, value ?? 0, POSITIVE)] : [];

export const nonNegativeQuantity = (path: FieldPath, value: string): FieldError[] =>
  compareQuantities(value, 0) < 0 ? [invalid(path, formatQuantity(parseQuantity(value)), NOT_NEGATIVE)] : [];

/** One of a closed set, given in the order in which upstream lists it. */
export const oneOf = (path: FieldPath, value: string | undefined, supported: readonly string[]): FieldError[] =>
  value !== undefined && supported.includes(value) ? [] : [notSupported(path, value ?? "", supported)];
/** As `oneOf`, but nothing at all is "Required value". */
export const neededOneOf = (path: FieldPath, value: string | undefined, supported: readonly string[]): FieldError[] =>
  value ? oneOf(path, value, supported) : [required(path)];
export const optionalOneOf = (
  path: FieldPath,
  value: string | undefined,
  supported: readonly string[],
): FieldError[] => (value === undefined ? [] : oneOf(path, value, supported));

export const fileMode = (path: FieldPath, mode: number | undefined): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > FILE_MODE_MAX) ? [invalid(path, mode, FILE_MODE)] : [];

/**
 * Addresses in fields older than today's rules: no leading zeros and no IPv4-mapped IPv6, but any other spelling, and
 * whatever stood there before. Source: core/validation IsValidIPForLegacyField with StrictIPCIDRValidation (on in 1.36).
 */
export function legacyIp(path: FieldPath, value: string, before: readonly string[] = []): FieldError[] {
  if (before.includes(value)) return [];
  const reasons = legacyIpReasons(value);
  const strict = ipReasons(value).filter((reason) => !reason.startsWith("must be in canonical form"));
  return because(path, value, reasons.length > 0 ? reasons : strict);
}

/** As `legacyIp`, for ranges. Source: IsValidCIDRForLegacyField with StrictIPCIDRValidation. */
export function legacyCidr(path: FieldPath, value: string, before: readonly string[] = []): FieldError[] {
  if (before.includes(value)) return [];
  const reasons = legacyCidrReasons(value);
  const strict = cidrReasons(value).filter((reason) => !reason.startsWith("must be in canonical form"));
  return because(path, value, reasons.length > 0 ? reasons : strict);
}

const SPECIAL_RANGES: readonly (readonly [ranges: readonly string[], reason: string])[] = [
  [["127.0.0.0/8", "::1/128"], "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [["169.254.0.0/16", "fe80::/10"], "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [["224.0.0.0/24", "ff02::/16"], "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];

const isIn = (range: string, address: IpAddress): boolean => {
  const prefix = parseCidr(range);
  return prefix !== undefined && prefixContains(prefix, address);
};

/** An address that may stand behind a Service. Source: core/validation ValidateEndpointIP. */
export function endpointIp(path: FieldPath, value: string): FieldError[] {
  const address = parseIp(value, { sloppy: true });
  if (address === undefined) return [invalid(path, value, "must be a valid IP address")];
  const reasons = SPECIAL_RANGES.filter(([ranges]) => ranges.some((range) => isIn(range, address))).map(
    ([, reason]) => reason,
  );
  return because(path, value, address.value === 0n ? [`may not be unspecified (${value})`] : reasons);
}

const hasBacksteps = (path: string): boolean => path.split("/").includes("..");

/** Source: core/validation validatePathNoBacksteps. */
export const noBacksteps = (path: FieldPath, target: string): FieldError[] =>
  hasBacksteps(target) ? [invalid(path, target, "must not contain '..'")] : [];

/** Source: core/validation validateLocalDescendingPath. */
export const descendingPath = (path: FieldPath, target: string): FieldError[] => [
  ...(target.startsWith("/") ? [invalid(path, target, "must be a relative path")] : []),
  ...noBacksteps(path, target),
];

/** Source: core/validation ValidateLocalNonReservedPath. */
export const nonReservedPath = (path: FieldPath, target: string): FieldError[] => [
  ...descendingPath(path, target),
  ...(target.startsWith("..") && !target.startsWith("../") ? [invalid(path, target, "must not start with '..'")] : []),
];

/** Errors of each element, with its index in the path. */
export const each = <T>(
  path: FieldPath,
  list: readonly T[] | undefined,
  check: (element: T, path: FieldPath, index: number) => readonly FieldError[],
): FieldError[] => (list ?? []).flatMap((element, index) => check(element, path.index(index), index));

/** Adds to a set; true when it was there already. */
export function seenBefore<T>(seen: Set<T>, value: T): boolean {
  if (seen.has(value)) return true;
  seen.add(value);
  return false;
}

/**
 * An object as Go prints its internal form in an error: upper-case names, `null` for what is not set, in the order of
 * the Go type's fields.
 */
export const goForm = (object: object, fields: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    fields.map((field) => {
      const name = `${field.charAt(0).toLowerCase()}${field.slice(1)}`;
      return [field, (object as Record<string, unknown>)[name] ?? null];
    }),
  );
