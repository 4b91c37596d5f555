import type { Change, ElementTable } from "./elementTable.ts";

interface Concatenation {
  readonly concat: readonly (string | number)[];
}
type AffinityElement = readonly [{ readonly elem: { readonly val: Concatenation } } | Concatenation, Concatenation];

/** Whether the change took away an endpoint that clients may be tied to, or brought old ties to life. */
export function touchesAffinities({ added, removed }: Change, table: ElementTable): boolean {
  if (added.some(({ set }) => set === "sticky")) return true;
  const wereSticky = new Set(removed.filter(({ set }) => set === "sticky").map(({ key }) => key));
  return removed.some(({ set, key }) => {
    if (set !== "endpoints") return false;
    const frontend = frontendOf(key);
    return wereSticky.has(frontend) || table.get("sticky", frontend) !== undefined;
  });
}

/**
 * Keys of the remembered affinities that lead to no endpoint of the table. They must go: the memory is asked before the
 * endpoints are. `listing` is what `nft -j list map` prints.
 */
export function staleAffinities(listing: string, table: ElementTable): string[] {
  return elementsOf(listing).flatMap(([key, target]) => {
    const parts = ("elem" in key ? key.elem.val : key).concat;
    const frontend = parts.slice(1).join(" . ");
    return table.serves(frontend, target.concat.join(" . ")) ? [] : [parts.join(" . ")];
  });
}

/** An endpoint's key without its slot. */
export const frontendOf = (key: string): string => key.slice(0, key.lastIndexOf(" . "));

function elementsOf(listing: string): readonly AffinityElement[] {
  const { nftables } = JSON.parse(listing) as { nftables: { map?: { elem?: AffinityElement[] } }[] };
  return nftables.flatMap((item) => item.map?.elem ?? []);
}
