import type { Random } from "../../lib/env.ts";
import { NumberAllocator } from "./numberAllocator.ts";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Source: kube-apiserver --service-node-port-range. */
export const NODE_PORT_RANGE: PortRange = { first: 30_000, last: 32_767 };

/** Source: portallocator.go calculateRangeOffset: at least 16, at most 128, a thirty-second between. */
const staticBand = (size: number): number => {
  if (size < 32) return 0;
  return Math.min(Math.max(16, Math.floor(size / 32)), 128);
};

/** Ports that every node listens on for a Service. */
export class NodePortAllocator {
  readonly range: PortRange;
  readonly #numbers: NumberAllocator;

  constructor(range: PortRange, random: Random) {
    const size = range.last - range.first + 1;
    this.range = range;
    this.#numbers = new NumberAllocator(size, staticBand(size), random);
  }

  /** Undefined when it is now the caller's. */
  take(port: number): "taken" | "outside" | undefined {
    if (port < this.range.first || port > this.range.last) return "outside";
    return this.#numbers.take(port - this.range.first) ? undefined : "taken";
  }

  takeNext(): number | undefined {
    const number = this.#numbers.takeNext();
    return number === undefined ? undefined : this.range.first + number;
  }

  release(port: number): void {
    if (port >= this.range.first && port <= this.range.last) this.#numbers.release(port - this.range.first);
  }
}
