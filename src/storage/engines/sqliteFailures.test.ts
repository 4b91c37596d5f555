import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { foreignCalls } from "../../lib/foreignCalls.ts";
import { type Entry, type Storage, StorageWriteError } from "../storage.ts";
import { bytes, record, testEnv } from "../storageFixture.ts";
import { sqliteStorage } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "skiff-storage-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Source: Linux, uapi asm-generic/resource.h. */
const RLIMIT_FSIZE = 1;
const UNLIMITED = 2n ** 64n - 1n;
const setrlimit = foreignCalls().load(null).func("int setrlimit(int resource, const uint64_t *limit)");

/** While it lasts, the kernel refuses every write of this process beyond that many bytes of a file. */
function limitFileSize(limit: bigint): void {
  if (setrlimit(RLIMIT_FSIZE, BigUint64Array.of(limit, UNLIMITED)) !== 0) throw new Error("setrlimit failed");
}

const value = new Uint8Array(4096).fill(97);

async function fill(storage: Storage): Promise<{ stored: Entry[]; errors: unknown[] }> {
  const writes = Array.from({ length: 400 }, (_, n) => storage.put(`fill/${n}`, value));
  // Built on what is pending.
  writes.push(storage.put("fill/0", value), storage.put("other", value, { expected: 0 }));
  const results = await Promise.allSettled(writes);
  return {
    stored: results.flatMap((result) => (result.status === "fulfilled" ? result.value : [])),
    errors: results.flatMap((result) => (result.status === "rejected" ? result.reason : [])),
  };
}

/** Whatever makes the disk full, the storage is as before the batch, and goes on once there is room. */
async function failsAndGoesOn(path: string, options: object, makeRoom: (storage: Storage) => Promise<void>) {
  const env = testEnv();
  let storage = await sqliteStorage({ env, path, ...options });
  await storage.put("before", bytes("1"));
  const recorder = record(storage, "", 1);

  const { stored, errors } = await fill(storage);
  expect(stored).toEqual([]);
  expect(errors).toHaveLength(402);
  for (const error of errors) expect(error).toBeInstanceOf(StorageWriteError);
  expect(storage.revision).toBe(2);
  expect((await storage.range({ prefix: "" })).entries.map(({ key }) => key)).toEqual(["before"]);

  await makeRoom(storage);
  const { revision } = storage;
  const entry = await storage.put("after", bytes("1"), { expected: 0 });
  expect(entry).toMatchObject({ createRevision: revision + 1, modRevision: revision + 1 });
  expect(recorder.events.map((event) => event.revision)).toEqual(
    Array.from({ length: revision }, (_, index) => index + 2),
  );
  await storage.close();
  storage = await sqliteStorage({ env, path });
  expect((await storage.range({ prefix: "" })).entries.map(({ key }) => key)).toEqual(["after", "before"]);
  await storage.close();
}

describe("the sqlite engine fails a batch as a whole, and goes on,", () => {
  it("when the kernel refuses to write", async () => {
    const path = join(directory, "refused.db");
    limitFileSize(256n * 1024n);
    try {
      await failsAndGoesOn(path, {}, async () => limitFileSize(UNLIMITED));
    } finally {
      limitFileSize(UNLIMITED);
    }
  });

  it("when the file would pass its bound", async () => {
    const path = join(directory, "bounded.db");
    const bytesMax = 2 ** 20;
    await failsAndGoesOn(path, { bytesMax }, async () => {});
    expect(statSync(path).size).toBeLessThanOrEqual(bytesMax);
  });

  it("and compaction makes room within the bound", async () => {
    const path = join(directory, "compacted.db");
    const storage = await sqliteStorage({ env: testEnv(), path, bytesMax: 2 ** 20 });
    const writeUntilFull = async () => {
      for (;;) await storage.put("a", value);
    };
    await expect(writeUntilFull()).rejects.toThrow(StorageWriteError);
    const { revision } = storage;
    expect(revision).toBeGreaterThan(50);
    await storage.compact(revision);
    for (let n = 0; n < 50; n++) await storage.put("a", value);
    expect(storage.revision).toBe(revision + 50);
    await storage.close();
  });
});
