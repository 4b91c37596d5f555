/** Adding, comparing and reading quantities as numbers. Nothing is lost but by `quantityValue` and its like. */
import { parseQuantity, type Quantity, type QuantityFormat, type QuantityLike } from "./quantityText.ts";

const NANO = 1_000_000_000n;

export const ZERO_QUANTITY: Quantity = { nano: 0n, format: "DecimalSI" };

/** -1, 0 or 1, for sorting too. */
export function compareQuantities(a: QuantityLike, b: QuantityLike): -1 | 0 | 1 {
  const left = parseQuantity(a).nano;
  const right = parseQuantity(b).nano;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The result is written in the first one's family, or in the second's where the first is zero. */
export function addQuantities(a: QuantityLike, b: QuantityLike): Quantity {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  return { nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format };
}

export function subtractQuantities(a: QuantityLike, b: QuantityLike): Quantity {
  return addQuantities(a, negateQuantity(b));
}

export function negateQuantity(from: QuantityLike): Quantity {
  const { nano, format } = parseQuantity(from);
  return { nano: -nano, format };
}

/** `by` is a whole number. */
export function multiplyQuantity(from: QuantityLike, by: number | bigint): Quantity {
  const { nano, format } = parseQuantity(from);
  return { nano: nano * BigInt(by), format };
}

export function sumQuantities(all: Iterable<QuantityLike>): Quantity {
  let sum = ZERO_QUANTITY;
  for (const one of all) sum = addQuantities(sum, one);
  return sum;
}

export const maxQuantity = (a: QuantityLike, b: QuantityLike): Quantity =>
  parseQuantity(compareQuantities(a, b) < 0 ? b : a);

/** Divides, rounding away from zero, as upstream rounds every quantity that does not fit. */
function dividedUp(nano: bigint, by: bigint): number {
  const quotient = nano / by;
  if (nano % by === 0n) return Number(quotient);
  return Number(nano > 0n ? quotient + 1n : quotient - 1n);
}

/** In whole units (bytes, cores, pods), rounded up. Source: Quantity.Value. */
export const quantityValue = (from: QuantityLike): number => dividedUp(parseQuantity(from).nano, NANO);

/** In thousandths, rounded up: 0.25 cores are 250. Source: Quantity.MilliValue. */
export const quantityMilliValue = (from: QuantityLike): number => dividedUp(parseQuantity(from).nano, 1_000_000n);

export const isZeroQuantity = (from: QuantityLike): boolean => parseQuantity(from).nano === 0n;

/** A whole number of units: `quantityOf(1024, "BinarySI")` is "1Ki". */
export const quantityOf = (value: number | bigint, format: QuantityFormat = "DecimalSI"): Quantity => ({
  nano: BigInt(value) * NANO,
  format,
});

/** A whole number of thousandths: `milliQuantity(250)` is "250m". */
export const milliQuantity = (value: number | bigint, format: QuantityFormat = "DecimalSI"): Quantity => ({
  nano: BigInt(value) * 1_000_000n,
  format,
});
