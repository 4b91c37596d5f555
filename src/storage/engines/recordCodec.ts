import type { JournalRecord } from "../journal.ts";

/**
 * Records as they travel between threads: few large parts instead of many small objects. The values lie one behind the
 * other in one buffer, which moves instead of being copied.
 */
export interface EncodedRecords {
  readonly keys: readonly string[];
  /** `NUMBERS_PER_RECORD` for each key: revision, create revision, expiry (0: none), length of the value (-1: none). */
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
}

const NUMBERS_PER_RECORD = 4;

export function encodeRecords(records: readonly JournalRecord[]): EncodedRecords {
  const numbers = new Float64Array(records.length * NUMBERS_PER_RECORD);
  const values = new Uint8Array(records.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0));
  let offset = 0;
  records.forEach(({ revision, createRevision, expiresAtMs, value }, index) => {
    numbers.set([revision, createRevision, expiresAtMs ?? 0, value?.byteLength ?? -1], index * NUMBERS_PER_RECORD);
    if (value === undefined) return;
    values.set(value, offset);
    offset += value.byteLength;
  });
  return { keys: records.map(({ key }) => key), numbers, values };
}

/** The values are views of the one buffer: whoever keeps one copies it. */
export function* decodeRecords({ keys, numbers, values }: EncodedRecords): Generator<JournalRecord> {
  let offset = 0;
  for (let index = 0; index < keys.length; index++) {
    const at = index * NUMBERS_PER_RECORD;
    const [revision, createRevision, expiry, length] = numbers.subarray(at, at + NUMBERS_PER_RECORD) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const value = length < 0 ? undefined : values.subarray(offset, offset + length);
    offset += Math.max(0, length);
    yield { revision, key: keys[index] as string, value, createRevision, expiresAtMs: expiry || undefined };
  }
}

/** What to hand over when posting them. */
export const transferList = ({ numbers, values }: EncodedRecords): ArrayBuffer[] => [numbers.buffer, values.buffer];
