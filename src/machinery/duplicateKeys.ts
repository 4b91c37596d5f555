/**
 * Finds keys that a JSON text gives twice in one object, which `JSON.parse` does not tell. The text must be valid JSON.
 * Source of the wording: sigs.k8s.io/json UnmarshalStrict.
 */
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "./jsonCharacters.ts";

interface Frame {
  /** Undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The path up to and including this object or list. */
  readonly path: string;
  index: number;
  key: string;
}

/** `duplicate field "spec.x"` for each, once per path. */
export function duplicateKeys(text: string): string[] {
  const found = new Set<string>();
  const frames: Frame[] = [];
  let position = 0;
  let expectsKey = false;
  while (position < text.length) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) {
      const end = stringEnd(text, position);
      const frame = frames.at(-1);
      if (expectsKey && frame?.keys !== undefined) {
        noteKey(frame, text.slice(position, end), found);
        expectsKey = false;
      }
      position = end;
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      const isMap = code === OPEN_BRACE;
      frames.push({ keys: isMap ? new Set() : undefined, path: pathInto(frames.at(-1)), index: 0, key: "" });
      expectsKey = isMap;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      frames.pop();
      expectsKey = false;
    } else if (code === COMMA) {
      const frame = frames.at(-1);
      if (frame !== undefined) frame.index += 1;
      expectsKey = frame?.keys !== undefined;
    }
    position += 1;
  }
  return [...found];
}

/** Position after the closing quote. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function noteKey(frame: Frame, quoted: string, found: Set<string>): void {
  const key = quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  const keys = frame.keys as Set<string>;
  frame.key = key;
  if (keys.has(key)) found.add(`duplicate field ${JSON.stringify(frame.path === "" ? key : `${frame.path}.${key}`)}`);
  keys.add(key);
}

function pathInto(frame: Frame | undefined): string {
  if (frame === undefined) return "";
  if (frame.keys === undefined) return `${frame.path}[${frame.index}]`;
  return frame.path === "" ? frame.key : `${frame.path}.${frame.key}`;
}
