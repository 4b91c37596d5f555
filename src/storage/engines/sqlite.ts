import { Worker } from "node:worker_threads";
import type { Env } from "../../lib/env.ts";
import { type Batch, type Journal, type JournalContent, type JournalRecord, journalRecord } from "../journal.ts";
import { JournaledStorage } from "../journaledStorage.ts";
import { DamagedStorageError, type Storage, StorageLockedError } from "../storage.ts";
import { decodeRecords, encodeRecords, transferList } from "./recordCodec.ts";
import type { SqliteOptions } from "./sqliteFile.ts";
import type { FromSqliteWorker, Refusal, ToSqliteWorker } from "./sqliteMessages.ts";

/** From source the worker is TypeScript; in a bundle it is its own entry beside it. */
const WORKER_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./sqliteWorker.ts" : "./sqliteWorker.js",
  import.meta.url,
);

interface Waiting {
  resolve(message: FromSqliteWorker): void;
  reject(error: Error): void;
}

/** One question and one answer at a time; the worker keeps the process alive only while a question is open. */
class SqliteThread {
  readonly #worker: Worker;
  #waiting: Waiting | undefined;
  #stopped: Error | undefined;
  onRecords: (records: Iterable<JournalRecord>) => void = () => {};
  onStopped: (error: Error) => void = () => {};

  constructor(options: SqliteOptions) {
    // Flags of the program, such as --input-type, are not for its threads.
    this.#worker = new Worker(WORKER_URL, { workerData: options, execArgv: [] });
    this.#worker.on("message", (message: FromSqliteWorker) => {
      if (message.type === "records") this.onRecords(decodeRecords(message.records));
      else this.#answer(message);
    });
    this.#worker.on("error", (error) => this.#stop(error as Error));
    this.#worker.on("exit", () => this.#stop(new Error("the storage's thread has ended")));
  }

  answer(): Promise<FromSqliteWorker> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) return reject(this.#stopped);
      this.#waiting = { resolve, reject };
      this.#worker.ref();
    });
  }

  ask(message: ToSqliteWorker, transfer: ArrayBuffer[] = []): Promise<FromSqliteWorker> {
    this.#worker.postMessage(message, transfer);
    return this.answer();
  }

  async terminate(): Promise<void> {
    this.onStopped = () => {};
    await this.#worker.terminate();
  }

  #answer(message: FromSqliteWorker): void {
    this.#worker.unref();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(message);
  }

  #stop(error: Error): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    this.#waiting?.reject(error);
    this.onStopped(error);
  }
}

function sqliteJournal(thread: SqliteThread): Journal {
  return {
    async commit({ writes, superseded, compactedRevision }: Batch): Promise<void> {
      const records = encodeRecords(writes.map(journalRecord));
      const answer = await thread.ask(
        { type: "commit", records, superseded, compactedRevision },
        transferList(records),
      );
      if (answer.type === "failed") throw new Error(answer.message);
    },
    async close(): Promise<void> {
      // A thread that has died has nothing to close.
      await thread.ask({ type: "close" }).catch(() => undefined);
      await thread.terminate();
    },
  };
}

function refusalError(path: string, because: Refusal): Error {
  switch (because.kind) {
    case "locked":
      return new StorageLockedError(path);
    case "damaged":
      return new DamagedStorageError(path, because.reason);
    case "failed":
      return new Error(`the storage file ${path} cannot be opened: ${because.message}`);
  }
}

async function readContent(thread: SqliteThread, path: string): Promise<JournalContent> {
  const records: JournalRecord[] = [];
  // Copied out of the buffer in which they came, so that no entry keeps all of it.
  thread.onRecords = (chunk) => {
    for (const record of chunk) records.push({ ...record, value: record.value?.slice() });
  };
  const answer = await thread.answer();
  if (answer.type === "refused") throw refusalError(path, answer.because);
  if (answer.type !== "opened") throw new Error(`the storage's thread began with ${answer.type}`);
  return { compactedRevision: answer.compactedRevision, records };
}

/**
 * Keeps everything in memory and every write in a SQLite file (table `revisions`, view `registry`), through a thread
 * of its own. Many writes share one transaction and one fsync.
 *
 * Nobody else can open the file meanwhile; once it is closed, `sqlite3 storage.db 'SELECT * FROM registry'` shows it.
 *
 * The history survives a restart: its window (`HISTORY_EVENTS_MAX`, `HISTORY_BYTES_MAX`) is that of the memory engine.
 * @throws DamagedStorageError, StorageLockedError
 */
export async function sqliteStorage({ env, ...options }: { readonly env: Env } & SqliteOptions): Promise<Storage> {
  const thread = new SqliteThread(options);
  try {
    const storage = new JournaledStorage(env, sqliteJournal(thread), await readContent(thread, options.path));
    thread.onStopped = (error) => storage.fail(error);
    return storage;
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}
