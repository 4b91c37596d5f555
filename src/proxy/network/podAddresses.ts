import { addressAt, parseCidr } from "./addresses.ts";

/** What a node knows about its pods' addresses; survives the node process as a small file. */
export interface PodAddresses {
  /** Offset at which the search for the next free address starts. */
  readonly next: number;
  readonly assigned: Readonly<Record<string, string>>;
}

export const NO_POD_ADDRESSES: PodAddresses = { next: 1, assigned: {} };

/**
 * Hands out addresses round-robin, so that a pod's replacement has another one and what still talks to the old address
 * talks to nobody. The first (network) and last (broadcast) of the range are never used. A sandbox that has an address
 * keeps it.
 *
 * Worked history in a /29: a → .1, b → .2, a goes, c → .3, …, .6, then .1 again.
 * @throws Error when every address is taken.
 */
export function assignAddress(
  addresses: PodAddresses,
  sandboxId: string,
  podCidr: string,
): { readonly ip: string; readonly addresses: PodAddresses } {
  const own = addresses.assigned[sandboxId];
  if (own !== undefined) return { ip: own, addresses };
  const usable = parseCidr(podCidr).size - 2;
  const taken = new Set(Object.values(addresses.assigned));
  for (let step = 0; step < usable; step++) {
    const offset = ((addresses.next - 1 + step) % usable) + 1;
    const ip = addressAt(podCidr, offset);
    if (taken.has(ip)) continue;
    return { ip, addresses: { next: offset + 1, assigned: { ...addresses.assigned, [sandboxId]: ip } } };
  }
  throw new Error(`no address is left in the pod range ${podCidr}`);
}

export function releaseAddress(addresses: PodAddresses, sandboxId: string): PodAddresses {
  const { [sandboxId]: _, ...assigned } = addresses.assigned;
  return { next: addresses.next, assigned };
}
