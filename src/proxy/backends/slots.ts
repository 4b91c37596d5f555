/**
 * Puts endpoints into slots 0 … n-1, leaving those of last time where they were, so that one that comes or goes changes
 * one or two slots and not all of them.
 *
 * Worked history: [] + a b c → [a b c]; b goes → [a c] (c fills the hole); d comes → [a c d].
 */
export function assignSlots(previous: readonly string[], endpoints: readonly string[]): readonly string[] {
  const wanted = new Set(endpoints);
  const slots: (string | undefined)[] = Array.from({ length: wanted.size }, (_, slot) => {
    const before = previous[slot];
    return before !== undefined && wanted.delete(before) ? before : undefined;
  });
  const rest = wanted.values();
  return slots.map((slot) => slot ?? (rest.next().value as string));
}
