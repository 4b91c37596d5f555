import type { Random } from "../../lib/env.ts";
import { seededRandom } from "../../lib/random.ts";

/** Most bytes of filling; beyond a page of SQLite, so that some values lie on several. */
const FILLING_BYTES_MAX = 9000;

/** A value says who wrote it, and can be made again from what it says: so a torn one is known. */
export interface WrittenValue {
  readonly writer: string;
  readonly number: number;
  /** For counters: one more than before. */
  readonly count: number;
}

export function encodeValue({ writer, number, count }: WrittenValue): Uint8Array {
  const random: Random = seededRandom(`${writer} ${number}`);
  const filling = random.suffix(8).repeat(Math.ceil(random.int(FILLING_BYTES_MAX) / 8));
  return new TextEncoder().encode(JSON.stringify({ writer, number, count, filling }));
}

/** @returns undefined when the value is not as it was written. */
export function decodeValue(value: Uint8Array): WrittenValue | undefined {
  try {
    const said = JSON.parse(new TextDecoder().decode(value)) as WrittenValue;
    return Buffer.compare(encodeValue(said), value) === 0 ? said : undefined;
  } catch {
    return undefined;
  }
}

/** A write that the storage has acknowledged, as one line. */
export interface Acknowledgement {
  readonly revision: number;
  readonly type: "put" | "delete";
  readonly key: string;
  /** `writer/number` of the value; of the last one for a deletion. */
  readonly value: string;
}

export const encodeAcknowledgement = ({ revision, type, key, value }: Acknowledgement): string =>
  `${revision} ${type} ${key} ${value}\n`;

/** The last line may have been cut off, and does not count. */
export function decodeAcknowledgements(text: string): Acknowledgement[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => {
    const [revision, type, key, value] = line.split(" ") as [string, "put" | "delete", string, string];
    return { revision: Number(revision), type, key, value };
  });
}
