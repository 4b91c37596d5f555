import type { Random } from "./env.ts";

/** No vowels (no accidental words), no 0/1/3 (look like letters). Source: apimachinery util/rand, `alphanums`. */
const NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** Builds a `Random` on one source of whole numbers in [0, 2³²). */
export function randomFrom(nextUint32: () => number): Random {
  const next = () => nextUint32() / 2 ** 32;
  const int = (below: number) => Math.floor(next() * below);
  const bytes = (length: number) => Uint8Array.from({ length }, () => nextUint32() & 0xff);
  return {
    next,
    int,
    bytes,
    suffix: (length) => Array.from({ length }, () => NAME_ALPHABET[int(NAME_ALPHABET.length)]).join(""),
    uuid: () => {
      const raw = bytes(16);
      raw[6] = ((raw[6] as number) & 0x0f) | 0x40;
      raw[8] = ((raw[8] as number) & 0x3f) | 0x80;
      const hex = Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    },
  };
}

/** The same seed gives the same numbers, on every machine. Generator: sfc32. */
export function seededRandom(seed: string): Random {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  const step = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (const char of seed) {
    a ^= char.codePointAt(0) as number;
    step();
  }
  for (let round = 0; round < 15; round++) step();
  return randomFrom(step);
}
