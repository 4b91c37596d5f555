/** The thread that waits for the disk, so that the event loop never does. Entry of a worker; exports nothing. */

import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { JournalRecord } from "../journal.ts";
import { DamagedStorageError, StorageLockedError } from "../storage.ts";
import { decodeRecords, encodeRecords, transferList } from "./recordCodec.ts";
import { openSqliteFile, type SqliteOptions } from "./sqliteFile.ts";
import type { FromSqliteWorker, Refusal, ToSqliteWorker } from "./sqliteMessages.ts";
import { batchWriter, readCompactedRevision, readRecords } from "./sqliteRecords.ts";

/** Bytes of values after which what has been read so far is sent on. */
const CHUNK_BYTES = 4 * 2 ** 20;

const port = parentPort as NonNullable<typeof parentPort>;
const say = (message: FromSqliteWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

function sendRecords(records: readonly JournalRecord[]): void {
  const encoded = encodeRecords(records);
  say({ type: "records", records: encoded }, transferList(encoded));
}

function sendContent(database: DatabaseSync, path: string): void {
  const compactedRevision = readCompactedRevision(database, path);
  let chunk: JournalRecord[] = [];
  let bytes = 0;
  for (const record of readRecords(database, path, compactedRevision)) {
    chunk.push(record);
    bytes += record.value?.byteLength ?? 0;
    if (bytes < CHUNK_BYTES) continue;
    sendRecords(chunk);
    chunk = [];
    bytes = 0;
  }
  sendRecords(chunk);
  say({ type: "opened", compactedRevision });
}

function serve(database: DatabaseSync): void {
  const write = batchWriter(database);
  port.on("message", (message: ToSqliteWorker) => {
    if (message.type === "close") {
      database.close();
      say({ type: "closed" });
      port.close();
      return;
    }
    try {
      write({ ...message, records: decodeRecords(message.records) });
      say({ type: "committed" });
    } catch (error) {
      say({ type: "failed", message: (error as Error).message });
    }
  });
}

function refusal(error: unknown): Refusal {
  if (error instanceof StorageLockedError) return { kind: "locked" };
  if (error instanceof DamagedStorageError) return { kind: "damaged", reason: error.reason };
  return { kind: "failed", message: (error as Error).message };
}

function open(options: SqliteOptions): void {
  let database: DatabaseSync | undefined;
  try {
    database = openSqliteFile(options);
    sendContent(database, options.path);
    serve(database);
  } catch (error) {
    database?.close();
    say({ type: "refused", because: refusal(error) });
  }
}

open(workerData as SqliteOptions);
