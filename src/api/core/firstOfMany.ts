/**
 * An old field that holds one value, and the list that came after it, whose first is the same. Of two that contradict
 * each other the old one holds, which is all that old clients know. Source: apis/core/v1/conversion.go (podIPs, podCIDRs).
 */
export function withFirst<T>(
  one: string | undefined,
  many: readonly T[] | undefined,
  { of, make }: { readonly of: (element: T) => string; readonly make: (value: string) => T },
): { readonly one: string | undefined; readonly many: readonly T[] | undefined } {
  const [first] = many ?? [];
  if (one) return { one, many: first !== undefined && of(first) === one ? many : [make(one)] };
  return { one: first === undefined ? one : of(first), many };
}
