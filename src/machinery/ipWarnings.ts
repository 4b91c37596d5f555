/**
 * Remarks on addresses that are taken but oddly written. A field held to today's rules needs none of them.
 * Source: apimachinery util/validation/ip.go GetWarningsForIP, GetWarningsForCIDR (v1.36).
 */
import type { FieldPath } from "./fieldErrors.ts";
import { formatCidr, formatIp, maskedAddress, parseCidr, parseIp } from "./ipAddress.ts";

const quote = (text: string): string => JSON.stringify(text);

export function ipWarnings(path: FieldPath, value: string): string[] {
  const address = parseIp(value, { sloppy: true });
  if (address === undefined) return [];
  const canonical = formatIp(address);
  if (address.mapped || parseIp(value) === undefined) {
    return [`${path}: non-standard IP address ${quote(value)} is invalid: use ${quote(canonical)}`];
  }
  if (address.family === 4 || canonical === value) return [];
  return [`${path}: IPv6 address ${quote(value)} should be in RFC 5952 canonical format (${quote(canonical)})`];
}

export function cidrWarnings(path: FieldPath, value: string): string[] {
  const prefix = parseCidr(value, { sloppy: true });
  if (prefix === undefined) return [];
  const { address } = prefix;
  const canonical = formatCidr(prefix);
  const warnings: string[] = [];
  if (maskedAddress(prefix).value !== address.value) {
    const single = `${formatIp(address)}/${address.family === 4 ? 32 : 128}`;
    const choice = `should be ${quote(canonical)} or ${quote(single)}?`;
    warnings.push(`${path}: CIDR value ${quote(value)} is ambiguous in this context (${choice})`);
  }
  if (address.mapped || parseCidr(value) === undefined) {
    warnings.push(`${path}: non-standard CIDR value ${quote(value)} is invalid: use ${quote(canonical)}`);
  }
  if (warnings.length > 0 || address.family === 4 || canonical === value) return warnings;
  return [`${path}: IPv6 CIDR value ${quote(value)} should be in RFC 5952 canonical format (${quote(canonical)})`];
}
