import { expect, it } from "vitest";
import { HISTORY_BYTES_MAX, HISTORY_EVENTS_MAX } from "../history.ts";
import { bytes, record, testEnv } from "../storageFixture.ts";
import { storageSuite } from "../storageSuite.ts";
import { memoryStorage } from "./memory.ts";

storageSuite("memory", async (env) => memoryStorage({ env }));

it("needs nothing but microtasks", async () => {
  const storage = memoryStorage({ env: testEnv() });
  let done = false;
  storage.put("a", bytes("1")).then(() => {
    done = true;
  });
  for (let tick = 0; tick < 20; tick++) await Promise.resolve();
  expect(done).toBe(true);
});

it("keeps a bounded number of events", async () => {
  const storage = memoryStorage({ env: testEnv() });
  const all = record(storage, "", 1);
  const value = bytes("1");
  for (let round = 0; round < 12; round++) {
    await Promise.all(Array.from({ length: 1000 }, (_, n) => storage.put(`${n}`, value)));
  }
  expect(storage.revision - storage.compactedRevision).toBeLessThanOrEqual(HISTORY_EVENTS_MAX);
  expect(storage.compactedRevision).toBeGreaterThan(1);
  expect(all.events).toHaveLength(12_000);
});

it("keeps a bounded number of superseded bytes, and always the newest event", async () => {
  const storage = memoryStorage({ env: testEnv() });
  const value = new Uint8Array(2 ** 20);
  for (let round = 0; round < 40; round++) await storage.put("a", value);
  const kept = storage.revision - storage.compactedRevision;
  expect(kept * value.byteLength).toBeLessThanOrEqual(HISTORY_BYTES_MAX);
  await storage.put("a", new Uint8Array(HISTORY_BYTES_MAX + 1));
  await storage.put("a", new Uint8Array(HISTORY_BYTES_MAX + 1));
  expect(storage.compactedRevision).toBe(storage.revision - 1);
});
