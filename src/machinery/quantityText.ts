/** Reading and writing quantities. Source: apimachinery api/resource quantity.go, suffix.go, amount.go. */

/** BinarySI is Ki, Mi, …; DecimalSI is m, k, M, …; DecimalExponent is e3, E6, …. */
export type QuantityFormat = "BinarySI" | "DecimalSI" | "DecimalExponent";

export interface Quantity {
  readonly nano: bigint;
  readonly format: QuantityFormat;
  /** The text as it was given, where upstream keeps it ("1.500" is not rewritten). */
  readonly text?: string;
}

/** What every function here takes: a quantity, or the string or number that stands for one in an object. */
export type QuantityLike = Quantity | string | number;

export class QuantityError extends Error {}

/** Source: quantity.go ErrFormatWrong, ErrSuffix. */
export const QUANTITY_FORMAT_WRONG =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const QUANTITY_SUFFIX_WRONG = "unable to parse quantity's suffix";

const NANO = 1_000_000_000n;
const INT64_MAX = 9_223_372_036_854_775_807n;
/** Most digits that upstream keeps in an int64. Source: math.go maxInt64Factors. */
const INT64_DIGITS_MAX = 18;
/** Largest power of ten that is read; a larger one would only cost memory. Ours. */
const EXPONENT_MAX = 1000;
/** Parsed strings that are remembered; the cache is emptied when it is full. */
const CACHED_MAX = 4096;

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL_EXPONENTS).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const QUANTITY_TEXT = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

interface Suffix {
  readonly format: QuantityFormat;
  readonly exponent: number;
}

/** "Mi" is 2^20, "k" is 10^3, "e-3" is 10^-3. Source: suffix.go interpret. */
function parseSuffix(suffix: string): Suffix {
  const decimal = DECIMAL_EXPONENTS[suffix];
  if (decimal !== undefined) return { format: "DecimalSI", exponent: decimal };
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { format: "BinarySI", exponent: binary * 10 };
  if (/^[eE][-+]?[0-9]+$/.test(suffix)) {
    const exponent = Number(suffix.slice(1));
    if (Math.abs(exponent) <= EXPONENT_MAX) return { format: "DecimalExponent", exponent };
  }
  throw new QuantityError(QUANTITY_SUFFIX_WRONG);
}

/** Whether upstream, having parsed the text into an int64 without loss, keeps it as it is. */
function keepsText(whole: string, fraction: string, { format, exponent }: Suffix): boolean {
  const digits = whole + fraction;
  if (format === "BinarySI") {
    const precision = 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1;
    return fraction === "" && precision >= 0 && (BigInt(whole) & 7n) !== 0n;
  }
  const scale = exponent - fraction.length;
  const exact = digits.length <= INT64_DIGITS_MAX && scale >= -9;
  return exact && scale % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

/** The absolute value in nanos, what is below a nano rounded up. */
function nanosOf(digits: bigint, fractionDigits: number, { format, exponent }: Suffix): bigint {
  const mantissa = format === "BinarySI" ? digits << BigInt(exponent) : digits;
  const scale = 9 - fractionDigits + (format === "BinarySI" ? 0 : exponent);
  if (scale >= 0) return mantissa * 10n ** BigInt(scale);
  const divisor = 10n ** BigInt(-scale);
  return (mantissa + divisor - 1n) / divisor;
}

function parse(text: string): Quantity {
  if (text === "") throw new QuantityError(QUANTITY_FORMAT_WRONG);
  const match = QUANTITY_TEXT.exec(text);
  if (match === null) throw new QuantityError(QUANTITY_FORMAT_WRONG);
  const [, sign, whole = "", fraction = "", suffixText = ""] = match;
  const suffix = parseSuffix(suffixText);
  const absolute = nanosOf(BigInt(`0${whole}${fraction}`), fraction.length, suffix);
  const capped = suffix.format === "BinarySI" && absolute > INT64_MAX * NANO ? INT64_MAX * NANO : absolute;
  const tiny = suffix.format === "BinarySI" && capped > 0n && capped < NANO;
  return {
    nano: sign === "-" ? -capped : capped,
    format: tiny ? "DecimalSI" : suffix.format,
    ...(keepsText(whole === "" ? "0" : whole, fraction, suffix) && { text }),
  };
}

const parsedTexts = new Map<string, Quantity>();

/** Parses; throws QuantityError with upstream's text. A quantity is returned as it is. */
export function parseQuantity(from: QuantityLike): Quantity {
  if (typeof from === "object") return from;
  const text = typeof from === "number" ? String(from) : from;
  const known = parsedTexts.get(text);
  if (known !== undefined) return known;
  const parsed = parse(text);
  if (parsedTexts.size >= CACHED_MAX) parsedTexts.clear();
  parsedTexts.set(text, parsed);
  return parsed;
}

/** Like `parseQuantity`, but undefined for what is no quantity. */
export function tryParseQuantity(from: QuantityLike): Quantity | undefined {
  try {
    return parseQuantity(from);
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}

/** How often `base` divides the number, and what is left of it. */
function removeFactors(value: bigint, base: bigint): { rest: bigint; times: number } {
  let rest = value;
  let times = 0;
  while (rest !== 0n && rest % base === 0n) {
    rest /= base;
    times += 1;
  }
  return { rest, times };
}

function decimalText(nano: bigint, format: QuantityFormat): string {
  const { rest, times } = removeFactors(nano, 10n);
  const power = times - 9;
  const limit = format === "DecimalSI" ? 18 : Number.POSITIVE_INFINITY;
  const exponent = Math.min(Math.floor(power / 3) * 3, limit);
  const number = rest * 10n ** BigInt(power - exponent);
  if (format === "DecimalSI") return `${number}${DECIMAL_SUFFIXES.get(exponent)}`;
  return exponent === 0 ? `${number}` : `${number}e${exponent}`;
}

function binaryText(whole: bigint): string {
  const { rest, times } = removeFactors(whole, 1024n);
  const index = Math.min(times, BINARY_SUFFIXES.length - 1);
  return `${rest * 1024n ** BigInt(times - index)}${BINARY_SUFFIXES[index]}`;
}

/** The canonical text: the largest suffix that leaves a whole number. Source: quantity.go CanonicalizeBytes. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  const { nano, format } = quantity;
  if (nano === 0n) return "0";
  const small = nano > -1024n * NANO && nano < 1024n * NANO;
  if (format === "BinarySI" && !small && nano % NANO === 0n) return binaryText(nano / NANO);
  return decimalText(nano, format === "BinarySI" ? "DecimalSI" : format);
}

const canonicalTexts = new Map<string, string>();

/** The text that the API serves for what was sent: `canonicalQuantity("0.5")` is "500m". Throws QuantityError. */
export function canonicalQuantity(from: string | number): string {
  const text = typeof from === "number" ? String(from) : from;
  const known = canonicalTexts.get(text);
  if (known !== undefined) return known;
  const canonical = formatQuantity(parseQuantity(text.trim()));
  if (canonicalTexts.size >= CACHED_MAX) canonicalTexts.clear();
  canonicalTexts.set(text, canonical);
  return canonical;
}
