import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { INITIAL_REVISION } from "../history.ts";
import type { JournalRecord } from "../journal.ts";
import { DamagedStorageError } from "../storage.ts";
import { checksum, explainOpening } from "./sqliteFile.ts";

export interface RecordBatch {
  readonly records: Iterable<JournalRecord>;
  readonly superseded: readonly number[];
  readonly compactedRevision: number;
}

/** @returns what stores a batch, in one transaction. */
export function batchWriter(database: DatabaseSync): (batch: RecordBatch) => void {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const insert = database.prepare("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?)");
  const remove = database.prepare("DELETE FROM revisions WHERE revision = ?");
  const compact = database.prepare("UPDATE compaction SET revision = ?");
  const commit = database.prepare("COMMIT");
  return ({ records, superseded, compactedRevision }) => {
    begin.run();
    try {
      // First, so that a file at its bound has room for what comes.
      for (const revision of superseded) remove.run(revision);
      for (const record of records) {
        const { revision, key, value, createRevision, expiresAtMs } = record;
        insert.run(revision, key, value ?? null, createRevision, expiresAtMs ?? null, checksum(record));
      }
      if (superseded.length > 0) compact.run(compactedRevision);
      commit.run();
    } catch (error) {
      // Some failures, such as a full disk, have rolled back already.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  };
}

function toRecord(row: Record<string, SQLOutputValue>): JournalRecord {
  return {
    revision: row.revision as number,
    key: row.key as string,
    value: (row.value as Uint8Array | null) ?? undefined,
    createRevision: row.create_revision as number,
    expiresAtMs: (row.expires_at_ms as number | null) ?? undefined,
  };
}

export function readCompactedRevision(database: DatabaseSync, path: string): number {
  const revision = explainOpening(path, () => database.prepare("SELECT revision FROM compaction").get()?.revision);
  if (typeof revision !== "number") throw new DamagedStorageError(path, "it does not say what has been compacted");
  return revision;
}

/** Every record in revision order. @throws DamagedStorageError when one is missing or not as it was written. */
export function* readRecords(database: DatabaseSync, path: string, compacted: number): Generator<JournalRecord> {
  const rows = explainOpening(path, () => database.prepare("SELECT * FROM revisions ORDER BY revision").iterate());
  const live = new Set<string>();
  let expected = Math.max(INITIAL_REVISION, compacted) + 1;
  for (;;) {
    const row = explainOpening(path, () => rows.next());
    if (row.done) return;
    const record = toRecord(row.value);
    if (row.value.checksum !== checksum(record)) {
      throw new DamagedStorageError(path, `the record of revision ${record.revision} is damaged`);
    }
    if (record.value !== undefined) live.add(record.key);
    else if (!live.delete(record.key)) {
      throw new DamagedStorageError(path, `revision ${record.revision} deletes what does not exist`);
    }
    if (record.revision > compacted && record.revision !== expected++) {
      throw new DamagedStorageError(path, `the record of revision ${expected - 1} is missing`);
    }
    yield record;
  }
}
