import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { JournalRecord } from "../journal.ts";
import { DamagedStorageError, StorageLockedError } from "../storage.ts";

/** "skif" in ASCII, in the header of the file: whose it is. */
const APPLICATION_ID = 0x736b6966;
const SCHEMA_VERSION = 1;

/** Primary result codes. Source: sqlite.org/rescode.html. */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/**
 * One row per revision, as etcd keeps them; rows that only compacted revisions need are deleted. `registry` is for
 * people: what kube-apiserver would have under each key now.
 */
const SCHEMA = `
  CREATE TABLE revisions (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value BLOB, -- JSON; NULL: the key was deleted
    create_revision INTEGER NOT NULL,
    expires_at_ms INTEGER, -- milliseconds since 1970
    checksum INTEGER NOT NULL -- CRC-32 of revision, key and value
  );
  CREATE TABLE compaction (revision INTEGER NOT NULL);
  INSERT INTO compaction VALUES (0);
  CREATE VIEW registry AS
    SELECT key, CAST(value AS TEXT) AS value, create_revision, mod_revision,
      datetime(expires_at_ms / 1000, 'unixepoch') AS expires_at
    FROM (SELECT key, value, create_revision, expires_at_ms, max(revision) AS mod_revision FROM revisions GROUP BY key)
    WHERE value IS NOT NULL;
`;

export interface SqliteOptions {
  readonly path: string;
  /** Never waits for the disk: a power cut then loses writes. Source of the name: etcd's --unsafe-no-fsync. */
  readonly unsafeNoFsync?: boolean;
  /** Writes fail when the file would grow beyond it. Source of the default: etcd's --quota-backend-bytes. */
  readonly bytesMax?: number;
  /** Pages of 4 KiB in the log after which it is written back into the main file; a crash leaves that much to read. */
  readonly checkpointPages?: number;
}

const BYTES_MAX_DEFAULT = 2 * 2 ** 30;
const CHECKPOINT_PAGES_DEFAULT = 4000;
/** Free bytes of a file with less than this are left in it. Ours: a user of etcd has to ask it to defragment. */
const FREE_BYTES_KEPT_MAX = 16 * 2 ** 20;

const resultCode = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) & 0xff;

/** Turns what SQLite says on opening into what the user should read. */
function openingError(path: string, error: unknown): unknown {
  switch (resultCode(error)) {
    case SQLITE_BUSY:
      return new StorageLockedError(path);
    case SQLITE_CORRUPT:
      return new DamagedStorageError(path, "it is damaged");
    case SQLITE_NOTADB:
      return new DamagedStorageError(path, "it is not a SQLite database, or its beginning is damaged");
    default:
      return error;
  }
}

/** @throws StorageLockedError, DamagedStorageError */
export function explainOpening<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw openingError(path, error);
  }
}

/** A directory is durable once its parent is: otherwise a power cut takes it with all that was synced in it. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  const parent = dirname(resolve(directory));
  makeDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
  const descriptor = openSync(parent, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

const pragma = (database: DatabaseSync, name: string): number =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;

/** @returns whether the file is still to be set up. @throws DamagedStorageError */
function isNew(database: DatabaseSync, path: string): boolean {
  const applicationId = pragma(database, "application_id");
  if (applicationId === APPLICATION_ID) {
    const version = pragma(database, "user_version");
    if (version === SCHEMA_VERSION) return false;
    throw new DamagedStorageError(path, `it has format ${version}, and this version of skiff knows ${SCHEMA_VERSION}`);
  }
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
  if (applicationId === 0 && tables === 0) return true;
  throw new DamagedStorageError(path, "it belongs to another program");
}

/**
 * What was deleted leaves its pages in the file, for later writes. When they are most of a large file it is written
 * anew, in one transaction; a disk without room for that keeps the file as it is.
 */
function giveBackSpace(database: DatabaseSync): void {
  const free = pragma(database, "freelist_count");
  const isMostlyFree = free * 2 > pragma(database, "page_count");
  if (!isMostlyFree || free * pragma(database, "page_size") < FREE_BYTES_KEPT_MAX) return;
  try {
    database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
  } catch (error) {
    if (resultCode(error) !== SQLITE_FULL) throw error;
  }
}

function configure(database: DatabaseSync, options: SqliteOptions): void {
  const { path, bytesMax = BYTES_MAX_DEFAULT, checkpointPages = CHECKPOINT_PAGES_DEFAULT } = options;
  // SQLite's own lock, held until the process ends however it ends; and no shared-memory file beside the log.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const fresh = isNew(database, path);
  database.exec(`PRAGMA journal_mode = WAL; BEGIN EXCLUSIVE; COMMIT;
    PRAGMA synchronous = ${options.unsafeNoFsync ? "OFF" : "FULL"};
    PRAGMA wal_autocheckpoint = ${checkpointPages};
    PRAGMA max_page_count = ${Math.ceil(bytesMax / pragma(database, "page_size"))};`);
  if (!fresh) {
    giveBackSpace(database);
    return;
  }
  database.exec(`BEGIN; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};
    ${SCHEMA} COMMIT;`);
}

/** Opens the file, or makes it, with its directory. @throws DamagedStorageError, StorageLockedError */
export function openSqliteFile(options: SqliteOptions): DatabaseSync {
  makeDirectory(dirname(options.path));
  return explainOpening(options.path, () => {
    const database = new DatabaseSync(options.path);
    try {
      configure(database, options);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

export function checksum({ revision, key, value }: JournalRecord): number {
  const ofKey = crc32(`${revision} ${key}`);
  return value === undefined ? ofKey : crc32(value, ofKey);
}
