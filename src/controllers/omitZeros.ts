/** A count of zero is left out, as Go's `omitempty` leaves it out: what was read compares equal to what was made. */
export function omitZeros<T extends Readonly<Record<string, number | undefined>>>(counts: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(counts).filter(([, count]) => count !== 0 && count !== undefined),
  ) as Partial<T>;
}
