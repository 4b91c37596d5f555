/** Equality of JSON values. Source of the semantics: apimachinery api/equality Semantic.DeepEqual. */
import { compareQuantities, tryParseQuantity } from "./quantity.ts";

/** What is left out, `null` and nothing are the same; the order of an object's keys does not matter. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || a === undefined) return b === null || b === undefined;
  if (typeof a !== "object" || typeof b !== "object" || b === null) return Number.isNaN(a) && Number.isNaN(b);
  if (Array.isArray(a)) return Array.isArray(b) && arraysEqual(a, b);
  return !Array.isArray(b) && objectsEqual(a as JsonObject, b as JsonObject);
}

type JsonObject = Readonly<Record<string, unknown>>;

function arraysEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) {
    if (!deepEqual(a[index], b[index])) return false;
  }
  return true;
}

function objectsEqual(a: JsonObject, b: JsonObject): boolean {
  let countA = 0;
  for (const key in a) {
    const value = a[key];
    if (value === undefined || value === null) continue;
    countA += 1;
    if (!deepEqual(value, b[key])) return false;
  }
  let countB = 0;
  for (const key in b) if (b[key] !== undefined && b[key] !== null) countB += 1;
  return countA === countB;
}

/**
 * As `deepEqual`, but an empty list or object equals one that is left out, as Go's Semantic.DeepEqual has it. With
 * `quantities`, two strings that are the same amount ("1" and "1000m") are equal too: only for values known to be
 * resource lists, since a label "1" is not the label "1000m".
 */
export function semanticEqual(a: unknown, b: unknown, { quantities = false } = {}): boolean {
  if (a === b) return true;
  if (isEmpty(a) && isEmpty(b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return quantities && sameAmount(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as JsonObject;
  const right = b as JsonObject;
  if (Array.isArray(a) && a.length !== (b as readonly unknown[]).length) return false;
  for (const key in left) if (!semanticEqual(left[key], right[key], { quantities })) return false;
  for (const key in right) if (!(key in left) && !isEmpty(right[key])) return false;
  return true;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object") return false;
  for (const _ in value) return false;
  return true;
}

const isText = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number";

function sameAmount(a: unknown, b: unknown): boolean {
  if (!isText(a) || !isText(b)) return false;
  const left = tryParseQuantity(a);
  const right = left === undefined ? undefined : tryParseQuantity(b);
  return left !== undefined && right !== undefined && compareQuantities(left, right) === 0;
}
