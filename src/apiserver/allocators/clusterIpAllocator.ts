import type { Random } from "../../lib/env.ts";
import { NumberAllocator } from "./numberAllocator.ts";

/** More than this many addresses of a range are never handed out. Source: ipallocator, a /16. */
const ADDRESSES_MAX = 65_536;

/** Source: ipallocator.go calculateRangeOffset: at least 16, at most 256, a sixteenth between. */
const staticBand = (size: number): number => {
  if (size < 16) return 0;
  return Math.min(Math.max(16, Math.floor(size / 16)), 256);
};

const toNumber = (address: string): number | undefined => {
  const parts = address.split(".").map(Number);
  const isAddress = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);
  return isAddress ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined;
};

const toAddress = (number: number): string =>
  [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join(".");

export type AddressProblem = "taken" | "outside";

/** Addresses of Services, from one IPv4 range. The network's own and the broadcast address are never used. */
export class ClusterIpAllocator {
  readonly cidr: string;
  /** The number of the first usable address. */
  readonly #first: number;
  readonly #size: number;
  readonly #numbers: NumberAllocator;

  /** @throws Error when `cidr` is no IPv4 range */
  constructor(cidr: string, random: Random) {
    const [network = "", bits = ""] = cidr.split("/");
    const base = toNumber(network);
    const prefix = Number(bits);
    if (base === undefined || !Number.isInteger(prefix) || prefix < 8 || prefix > 30) {
      throw new Error(`the service range ${JSON.stringify(cidr)} is not an IPv4 range between /8 and /30`);
    }
    this.cidr = cidr;
    this.#first = base + 1;
    this.#size = Math.min(2 ** (32 - prefix), ADDRESSES_MAX) - 2;
    this.#numbers = new NumberAllocator(this.#size, staticBand(this.#size), random);
  }

  /** The address that the `kubernetes` Service has. */
  get firstAddress(): string {
    return toAddress(this.#first);
  }

  /** Undefined when it is now the caller's. */
  take(address: string): AddressProblem | undefined {
    const number = this.#numberOf(address);
    if (number === undefined) return "outside";
    return this.#numbers.take(number) ? undefined : "taken";
  }

  takeNext(): string | undefined {
    const number = this.#numbers.takeNext();
    return number === undefined ? undefined : toAddress(this.#first + number);
  }

  release(address: string): void {
    const number = this.#numberOf(address);
    if (number !== undefined) this.#numbers.release(number);
  }

  #numberOf(address: string): number | undefined {
    const number = toNumber(address);
    if (number === undefined || number < this.#first || number >= this.#first + this.#size) return undefined;
    return number - this.#first;
  }
}
