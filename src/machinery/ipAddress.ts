/**
 * IP addresses and prefixes as numbers, read strictly or as leniently as upstream's old fields need it (leading zeros).
 * Source: Go net/netip and k8s.io/utils/net ParseIPSloppy.
 */

export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
  /** Written as ::ffff:1.2.3.4. Its family is 4, as Go's net.IP has it. */
  readonly mapped: boolean;
}

export interface IpPrefix {
  readonly address: IpAddress;
  readonly bits: number;
}

export interface ParseOptions {
  /** Reads 010.0.0.1 as 10.0.0.1. */
  readonly sloppy?: boolean;
}

function parseIpv4(text: string, sloppy: boolean): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^[0-9]{1,}$/.test(part) || Number(part) > 255) return undefined;
    if (!sloppy && part.length > 1 && part.startsWith("0")) return undefined;
    value = (value << 8n) | BigInt(Number(part));
  }
  return value;
}

const groupsOf = (text: string): string[] => (text === "" ? [] : text.split(":"));

/** Turns a trailing dotted quad into two groups, so that only groups are left to read. */
function withoutDottedQuad(text: string, sloppy: boolean): string | undefined {
  if (!text.includes(".")) return text;
  const lastColon = text.lastIndexOf(":");
  const quad = parseIpv4(text.slice(lastColon + 1), sloppy);
  if (quad === undefined) return undefined;
  return `${text.slice(0, lastColon + 1)}${(quad >> 16n).toString(16)}:${(quad & 0xffffn).toString(16)}`;
}

function parseIpv6(text: string, sloppy: boolean): bigint | undefined {
  const plain = withoutDottedQuad(text, sloppy);
  if (plain === undefined) return undefined;
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "");
  const tail = groupsOf(halves[1] ?? "");
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...new Array<string>(missing).fill("0"), ...tail]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}

/** Undefined for what is no address; zones (fe80::1%eth0) are none. */
export function parseIp(text: string, { sloppy = false }: ParseOptions = {}): IpAddress | undefined {
  if (!text.includes(":")) {
    const value = parseIpv4(text, sloppy);
    return value === undefined ? undefined : { family: 4, value, mapped: false };
  }
  const value = parseIpv6(text, sloppy);
  if (value === undefined) return undefined;
  const mapped = value >> 32n === 0xffffn;
  return mapped ? { family: 4, value: value & 0xffffffffn, mapped } : { family: 6, value, mapped };
}

/** "10.0.0.0/8" with the address as written, host bits included. */
export function parseCidr(text: string, options: ParseOptions = {}): IpPrefix | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? undefined : parseIp(text.slice(0, slash), options);
  const length = text.slice(slash + 1);
  if (address === undefined || !/^[0-9]{1,9}$/.test(length)) return undefined;
  if (options.sloppy !== true && length.length > 1 && length.startsWith("0")) return undefined;
  const bits = Number(length) - (address.mapped ? 96 : 0);
  if (bits < 0 || bits > widthOf(address)) return undefined;
  return { address, bits };
}

const widthOf = ({ family }: { readonly family: 4 | 6 }): number => (family === 4 ? 32 : 128);

/** The first address of the prefix: host bits cleared. */
export function maskedAddress({ address, bits }: IpPrefix): IpAddress {
  const hostBits = BigInt(widthOf(address) - bits);
  return { ...address, value: (address.value >> hostBits) << hostBits };
}

/** How many addresses the prefix holds. */
export const prefixSize = ({ address, bits }: IpPrefix): bigint => 1n << BigInt(widthOf(address) - bits);

export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  if (prefix.address.family !== address.family) return false;
  const hostBits = BigInt(widthOf(address) - prefix.bits);
  return prefix.address.value >> hostBits === address.value >> hostBits;
}

/** Canonical text: dotted quad, or RFC 5952 for IPv6. */
export function formatIp({ family, value }: Pick<IpAddress, "family" | "value">): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

/** The first of the longest runs of zero groups, which RFC 5952 shortens to "::". */
function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === "0") end += 1;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** "10.0.0.0/8", host bits cleared. */
export const formatCidr = (prefix: IpPrefix): string => `${formatIp(maskedAddress(prefix))}/${prefix.bits}`;
