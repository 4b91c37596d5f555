import type { Element, Elements } from "./elements.ts";

interface Concatenation {
  readonly concat: readonly (string | number)[];
}
type AffinityElement = readonly [{ readonly elem: { readonly val: Concatenation } } | Concatenation, Concatenation];

/** Whether `removed` took away an endpoint that clients may be tied to. */
export const touchesAffinities = (previous: Elements, removed: readonly Element[]): boolean =>
  removed.some(({ set, key }) => set === "endpoints" && previous.elements.has(`sticky ${frontendOf(key)}`));

/**
 * Keys of the remembered affinities that lead to no endpoint of `next`. They must go: the memory is asked before the
 * endpoints are. `listing` is what `nft -j list map` prints.
 */
export function staleAffinities(listing: string, next: Elements): string[] {
  const serving = new Set<string>();
  for (const { set, key, value } of next.elements.values()) {
    if (set === "endpoints") serving.add(`${frontendOf(key)} : ${value}`);
  }
  return elementsOf(listing).flatMap(([key, target]) => {
    const parts = ("elem" in key ? key.elem.val : key).concat;
    const frontend = parts.slice(1).join(" . ");
    return serving.has(`${frontend} : ${target.concat.join(" . ")}`) ? [] : [parts.join(" . ")];
  });
}

/** An endpoint's key without its slot. */
export const frontendOf = (key: string): string => key.slice(0, key.lastIndexOf(" . "));

function elementsOf(listing: string): readonly AffinityElement[] {
  const { nftables } = JSON.parse(listing) as { nftables: { map?: { elem?: AffinityElement[] } }[] };
  return nftables.flatMap((item) => item.map?.elem ?? []);
}
