/**
 * Exact amounts such as `100m`, `1.5Gi` or `2e3`. A quantity is a whole number of nanos, so that adding and comparing
 * never lose anything, and the family of suffixes in which it is written.
 * Source: apimachinery api/resource quantity.go, suffix.go, amount.go.
 *
 * One worked history: "1.5Gi" is parsed as 1610612736000000000 nanos of BinarySI and printed as "1536Mi"; "0.5" is
 * 500000000 nanos of DecimalSI and printed as "500m".
 */
export {
  addQuantities,
  compareQuantities,
  isZeroQuantity,
  maxQuantity,
  milliQuantity,
  multiplyQuantity,
  negateQuantity,
  quantityMilliValue,
  quantityOf,
  quantityValue,
  subtractQuantities,
  sumQuantities,
  ZERO_QUANTITY,
} from "./quantityArithmetic.ts";
export {
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
  QUANTITY_FORMAT_WRONG,
  type Quantity,
  QuantityError,
  type QuantityFormat,
  type QuantityLike,
  tryParseQuantity,
} from "./quantityText.ts";
