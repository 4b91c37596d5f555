/** Scalars of the wire form, checked and in the form in which Go would write them again. */
import { DecodeError } from "./decodeError.ts";
import { microTimestamp, timestamp } from "./object.ts";
import { canonicalQuantity, QUANTITY_FORMAT_WRONG, QuantityError } from "./quantity.ts";
import type { ScalarType } from "./schema.ts";

/** What `decodeScalar` gives for a value that is not of the type. */
export const MISMATCH = Symbol("mismatch");

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);
const INT64_LIMIT = 2 ** 63;

const isInt32 = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) <= INT32_MAX && (value as number) >= INT32_MIN;

/** Gives MISMATCH for a wrong JSON type; throws DecodeError where the text of a string is wrong. */
export function decodeScalar(type: ScalarType, value: unknown): unknown {
  switch (type) {
    case "string":
      return typeof value === "string" ? value : MISMATCH;
    case "bool":
      return typeof value === "boolean" ? value : MISMATCH;
    case "int32":
      return isInt32(value) ? value : MISMATCH;
    case "int64":
      return Number.isInteger(value) && Math.abs(value as number) <= INT64_LIMIT ? value : MISMATCH;
    case "double":
      return typeof value === "number" ? value : MISMATCH;
    case "quantity":
      return decodeQuantity(value);
    case "intstr":
      return typeof value === "string" || isInt32(value) ? value : MISMATCH;
    case "time":
      return typeof value === "string" ? decodeTime(value) : MISMATCH;
    case "microtime":
      return typeof value === "string" ? decodeMicroTime(value) : MISMATCH;
    case "duration":
      return typeof value === "string" ? value : MISMATCH;
    case "bytes":
      return typeof value === "string" ? decodeBytes(value) : MISMATCH;
    default:
      return type satisfies never;
  }
}

function decodeQuantity(value: unknown): unknown {
  if (typeof value !== "string" && typeof value !== "number") throw new DecodeError(QUANTITY_FORMAT_WRONG);
  try {
    return canonicalQuantity(value);
  } catch (error) {
    throw error instanceof QuantityError ? new DecodeError(error.message) : error;
  }
}

const CANONICAL_TIME = /^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$/;
const CANONICAL_MICRO_TIME = /^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z$/;
const RFC3339 = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/;

/** Milliseconds; the text is Go's where it is no RFC 3339. */
function timeMs(text: string, layout: string): number {
  const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new DecodeError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: ${timeFault(text)}`);
}

/** The parts of a time, each as Go's layout writes it. Source: Go time.Parse. */
const TIME_PARTS: readonly (readonly [layout: string, part: RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
  ["05", /^\d{2}(\.\d+)?/],
  ["Z07:00", /^(Z|[+-]\d{2}:\d{2})/],
];

/** Says of the first part that is not there what stands in its place. */
function timeFault(text: string): string {
  let rest = text;
  for (const [layout, part] of TIME_PARTS) {
    const found = part.exec(rest)?.[0];
    if (found === undefined) return `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(layout)}`;
    rest = rest.slice(found.length);
  }
  return rest === "" ? "day out of range" : `extra text: ${JSON.stringify(rest)}`;
}

/** Source: metav1.Time writes seconds, in UTC. */
const decodeTime = (text: string): string =>
  CANONICAL_TIME.test(text) ? text : timestamp(timeMs(text, "2006-01-02T15:04:05Z07:00"));

/** Source: metav1.MicroTime writes six digits, in UTC. */
const decodeMicroTime = (text: string): string =>
  CANONICAL_MICRO_TIME.test(text) ? text : microTimestamp(timeMs(text, "2006-01-02T15:04:05.000000Z07:00"));

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeBytes(text: string): string {
  if (BASE64.test(text)) return text;
  const bare = text.replace(/[\r\n]/g, "");
  if (BASE64.test(bare)) return bare;
  const valid = /^[A-Za-z0-9+/]*/.exec(bare)?.[0].length ?? 0;
  throw new DecodeError(
    `illegal base64 data at input byte ${valid < bare.length ? valid : bare.length - (bare.length % 4)}`,
  );
}

/** Go's zero value as JSON, for a `null` in a list or map; undefined where Go writes null, which is left out. */
export function zeroScalar(type: ScalarType): unknown {
  switch (type) {
    case "string":
    case "bytes":
      return "";
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "double":
    case "intstr":
      return 0;
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    case "time":
    case "microtime":
      return null;
  }
}
