/** How Go words that a text is not JSON. Source: Go encoding/json scanner.go. */
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "./jsonCharacters.ts";

class SyntaxFault extends Error {}

interface Cursor {
  /** Bytes as Latin-1, as Go looks at bytes, and one blank, which Go's scanner tries at the end. */
  readonly text: string;
  at: number;
}

/** Source: Go encoding/json scanner.go, maxNestingDepth. */
const DEPTH_MAX = 10_000;

const CLOSE_QUOTE: Readonly<Record<string, string>> = { "'": "'\\''", '"': "'\"'" };

function quoted(character: string): string {
  const known = CLOSE_QUOTE[character];
  if (known !== undefined) return known;
  const inner = JSON.stringify(character).slice(1, -1);
  return `'${inner.startsWith("\\u00") ? `\\x${inner.slice(4)}` : inner}'`;
}

const character = ({ text, at }: Cursor): string => {
  const found = text[at];
  if (found === undefined) throw new SyntaxFault("unexpected end of JSON input");
  return found;
};

function fail(cursor: Cursor, where: string): never {
  throw new SyntaxFault(`invalid character ${quoted(character(cursor))} ${where}`);
}

function blanks(cursor: Cursor): void {
  while (" \t\r\n".includes(character(cursor))) cursor.at += 1;
}

function take(cursor: Cursor, allowed: RegExp, where: string): string {
  const found = character(cursor);
  if (!allowed.test(found)) fail(cursor, where);
  cursor.at += 1;
  return found;
}

function stringEnd(cursor: Cursor): void {
  for (;;) {
    const found = take(cursor, /[ -\u{10ffff}]/u, "in string literal");
    if (found === '"') return;
    if (found !== "\\") continue;
    if (take(cursor, /[bfnrt\\/"u]/, "in string escape code") !== "u") continue;
    for (let digit = 0; digit < 4; digit += 1) take(cursor, /[0-9a-fA-F]/, "in \\u hexadecimal character escape");
  }
}

function digits(cursor: Cursor): void {
  while (/[0-9]/.test(character(cursor))) cursor.at += 1;
}

function numberEnd(cursor: Cursor, first: string): void {
  const leading = first === "-" ? take(cursor, /[0-9]/, "in numeric literal") : first;
  if (leading !== "0") digits(cursor);
  if (character(cursor) === ".") {
    cursor.at += 1;
    take(cursor, /[0-9]/, "after decimal point in numeric literal");
    digits(cursor);
  }
  if (!/[eE]/.test(character(cursor))) return;
  cursor.at += 1;
  if (/[+-]/.test(character(cursor))) cursor.at += 1;
  take(cursor, /[0-9]/, "in exponent of numeric literal");
  digits(cursor);
}

function literalEnd(cursor: Cursor, literal: string): void {
  for (const expected of literal.slice(1)) {
    if (character(cursor) !== expected) fail(cursor, `in literal ${literal} (expecting '${expected}')`);
    cursor.at += 1;
  }
}

function objectEnd(cursor: Cursor): void {
  const start = "looking for beginning of object key string";
  blanks(cursor);
  if (character(cursor) === "}") {
    cursor.at += 1;
    return;
  }
  for (let last = ","; last === ","; ) {
    blanks(cursor);
    take(cursor, /"/, start);
    stringEnd(cursor);
    blanks(cursor);
    take(cursor, /:/, "after object key");
    value(cursor);
    blanks(cursor);
    last = take(cursor, /[,}]/, "after object key:value pair");
  }
}

function arrayEnd(cursor: Cursor): void {
  blanks(cursor);
  if (character(cursor) === "]") {
    cursor.at += 1;
    return;
  }
  for (let last = ","; last === ","; ) {
    value(cursor);
    blanks(cursor);
    last = take(cursor, /[,\]]/, "after array element");
  }
}

const TOO_DEEP = "exceeded max depth";

const LITERALS: Readonly<Record<string, string>> = { t: "true", f: "false", n: "null" };

function value(cursor: Cursor): void {
  blanks(cursor);
  const first = take(cursor, /[{["tfn0-9-]/, "looking for beginning of value");
  const literal = LITERALS[first];
  if (literal !== undefined) literalEnd(cursor, literal);
  else if (first === "{") objectEnd(cursor);
  else if (first === "[") arrayEnd(cursor);
  else if (first === '"') stringEnd(cursor);
  else numberEnd(cursor, first);
}

/** Of JSON that `JSON.parse` has read, which knows no such limit: what would end in a stack that is too small later. */
export function goJsonDepthError(bytes: Buffer): string | undefined {
  if (bytes.length <= 2 * DEPTH_MAX) return undefined;
  let depth = 0;
  let isString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (isString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isString = false;
    } else if (byte === QUOTE) isString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > DEPTH_MAX) return TOO_DEEP;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
  }
  return undefined;
}

/** What json.Unmarshal says of bytes that are not JSON; undefined when they are. */
export function goJsonSyntaxError(bytes: Buffer): string | undefined {
  const cursor: Cursor = { text: `${bytes.toString("latin1")} `, at: 0 };
  try {
    value(cursor);
    while (cursor.at < cursor.text.length) {
      if (!" \t\r\n".includes(character(cursor))) fail(cursor, "after top-level value");
      cursor.at += 1;
    }
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxFault) return error.message;
    // The stack has come to its end.
    if (error instanceof RangeError) return TOO_DEEP;
    throw error;
  }
}

/** As `goJsonSyntaxError`, where most bytes are JSON, which `JSON.parse` tells much faster. */
export function goJsonError(bytes: Buffer): string | undefined {
  const depthFault = goJsonDepthError(bytes);
  if (depthFault !== undefined) return depthFault;
  try {
    JSON.parse(bytes.toString());
    return undefined;
  } catch (error) {
    return goJsonSyntaxError(bytes) ?? (error as Error).message;
  }
}

/** The same where a map[string]interface{} is wanted. */
export function goJsonObjectError(bytes: Buffer): string | undefined {
  const fault = goJsonError(bytes);
  if (fault !== undefined) return fault;
  const value: unknown = JSON.parse(bytes.toString());
  if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`;
}
