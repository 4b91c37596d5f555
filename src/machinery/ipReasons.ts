/** Validators of addresses; the texts are upstream's. Source: apimachinery util/validation/ip.go (v1.36). */
import { formatCidr, formatIp, maskedAddress, parseCidr, parseIp } from "./ipAddress.ts";

const NO_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** For fields that always were lenient (podIP, clusterIP, …): leading zeros pass. Source: IsValidIPForLegacyField. */
export const legacyIpReasons = (value: string): string[] =>
  parseIp(value, { sloppy: true }) === undefined ? [NO_IP] : [];

/** For new fields: only the canonical form passes. Source: IsValidIP. */
export function ipReasons(value: string): string[] {
  const sloppy = parseIp(value, { sloppy: true });
  if (sloppy === undefined) return [NO_IP];
  if (parseIp(value) === undefined) return ["must not have leading 0s"];
  if (sloppy.mapped) return ["must not be an IPv4-mapped IPv6 address"];
  const canonical = formatIp(sloppy);
  return value === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** Source: IsValidCIDRForLegacyField. */
export const legacyCidrReasons = (value: string): string[] =>
  parseCidr(value, { sloppy: true }) === undefined ? [NO_CIDR] : [];

/** Source: IsValidCIDR. */
export function cidrReasons(value: string): string[] {
  const sloppy = parseCidr(value, { sloppy: true });
  if (sloppy === undefined) return [NO_CIDR];
  if (parseCidr(value) === undefined) return ["must not have leading 0s in IP or prefix length"];
  if (sloppy.address.mapped) return ["must not have an IPv4-mapped IPv6 address"];
  if (maskedAddress(sloppy).value !== sloppy.address.value) {
    return ["must not have bits set beyond the prefix length"];
  }
  const canonical = formatCidr(sloppy);
  return value === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}
