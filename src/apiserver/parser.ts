/** From the bytes of a body to a value. */

/** Turns the bytes of one media type into a plain value. */
export interface Parser {
  readonly mediaType: string;
  readonly parse: (bytes: Uint8Array) => Parsed;
}

export interface Parsed {
  readonly value: unknown;
  /** Keys that the text gave twice. */
  readonly duplicates: () => readonly string[];
}
