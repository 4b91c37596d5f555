import { describe, expect, it } from "vitest";
import type { Batch, Journal } from "./journal.ts";
import { JournaledStorage } from "./journaledStorage.ts";
import { ConflictError, StorageClosedError, StorageWriteError } from "./storage.ts";
import { bytes, record, testEnv } from "./storageFixture.ts";

/** A journal whose batches end when, and as, the test says. */
function scriptedJournal() {
  const waiting: { batch: Batch; resolve(): void; reject(error: Error): void }[] = [];
  const journal: Journal = {
    commit: (batch) => new Promise((resolve, reject) => waiting.push({ batch, resolve, reject })),
    close: () => Promise.resolve(),
  };
  const env = testEnv();
  const storage = new JournaledStorage(env, journal);
  const turn = async () => {
    for (let tick = 0; tick < 10; tick++) await Promise.resolve();
  };
  const revisions = () => waiting.map(({ batch }) => batch.writes.map(({ event }) => event.revision));
  return {
    env,
    storage,
    waiting,
    turn,
    revisions,
    put: (key: string, expected?: number) => storage.put(key, bytes("1"), { expected }),
  };
}

describe("group commit", () => {
  it("gathers the next batch while one commits", async () => {
    const { storage, waiting, turn, revisions, put } = scriptedJournal();
    const first = [put("a"), put("b")];
    await turn();
    const second = [put("a"), put("c")];
    await turn();
    expect(revisions()).toEqual([[2, 3]]);
    expect(storage.revision).toBe(1);
    waiting[0]?.resolve();
    await Promise.all(first);
    expect(storage.revision).toBe(3);
    expect(revisions()).toEqual([
      [2, 3],
      [4, 5],
    ]);
    waiting[1]?.resolve();
    await Promise.all(second);
    expect(storage.revision).toBe(5);
  });

  it("fails what was pending with a failed batch, and starts again from what is durable", async () => {
    const { storage, waiting, turn, revisions, put } = scriptedJournal();
    const recorder = record(storage, "", 1);
    const lost = [put("a", 0)];
    await turn();
    lost.push(put("a", 2), put("b", 0));
    waiting[0]?.reject(new Error("no room"));
    for (const write of lost) await expect(write).rejects.toThrow("the storage could not write (no room)");
    const kept = put("a", 0);
    await turn();
    expect(revisions().at(-1)).toEqual([2]);
    waiting[1]?.resolve();
    expect(await kept).toMatchObject({ createRevision: 2 });
    expect(recorder.history).toBe("a=1@2");
  });

  it("says conflict only once what conflicts is durable", async () => {
    const { storage, waiting, turn, put } = scriptedJournal();
    const first = put("a", 0);
    let refused = false;
    const second = put("a", 0).catch((error) => {
      refused = true;
      expect(error).toBeInstanceOf(ConflictError);
      return storage.get("a");
    });
    await turn();
    expect(refused).toBe(false);
    waiting[0]?.resolve();
    expect(await second).toBe(await first);
  });

  it("does not say conflict with what never became durable", async () => {
    const { waiting, turn, put } = scriptedJournal();
    const writes = [put("a", 0), put("a", 0)];
    await turn();
    waiting[0]?.reject(new Error("no room"));
    for (const write of writes) await expect(write).rejects.toThrow(StorageWriteError);
  });

  it("tries again to end a time to live that could not be written", async () => {
    const { env, storage, waiting, turn } = scriptedJournal();
    const written = storage.put("a", bytes("1"), { ttlMs: 1000 });
    await turn();
    waiting[0]?.resolve();
    await written;
    await env.clock.advance(1000);
    waiting[1]?.reject(new Error("no room"));
    await env.clock.advance(1000);
    waiting[2]?.resolve();
    await turn();
    expect(await storage.get("a")).toBeUndefined();
    expect(storage.revision).toBe(3);
  });

  it("hands superseded records to the journal again when their batch failed", async () => {
    const { storage, waiting, turn, put } = scriptedJournal();
    for (let n = 0; n < 3; n++) {
      const written = put("a");
      await turn();
      waiting.at(-1)?.resolve();
      await written;
    }
    const compacted = storage.compact(4);
    await turn();
    waiting.at(-1)?.reject(new Error("no room"));
    await expect(compacted).rejects.toThrow(StorageWriteError);
    const written = put("a");
    await turn();
    expect(waiting.at(-1)?.batch).toMatchObject({ superseded: [2], compactedRevision: 3 });
    waiting.at(-1)?.resolve();
    await written;
  });

  it("ends everything, with the cause, when its journal is gone", async () => {
    const { storage, waiting, turn, put } = scriptedJournal();
    const recorder = record(storage, "", 1);
    const written = put("a");
    await turn();
    const cause = new Error("the thread died");
    waiting[0]?.reject(cause);
    storage.fail(cause);
    await expect(written).rejects.toThrow(StorageWriteError);
    await turn();
    expect(recorder.ended).toBeInstanceOf(StorageClosedError);
    expect(recorder.ended?.cause).toBe(cause);
    await expect(put("a")).rejects.toThrow(StorageClosedError);
  });
});
