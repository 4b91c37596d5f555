import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { HISTORY_EVENTS_MAX } from "../history.ts";
import { CompactedError } from "../storage.ts";
import { bytes, record, testEnv, text } from "../storageFixture.ts";
import { storageSuite } from "../storageSuite.ts";
import { sqliteStorage } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "skiff-storage-"));
afterAll(() => rmSync(directory, { recursive: true }));

let count = 0;
const newPath = () => join(directory, `${count++}`, "storage.db");
storageSuite("sqlite", (env) => sqliteStorage({ env, path: newPath() }));

describe("the sqlite engine, opened again", () => {
  let path = "";
  beforeEach(() => {
    path = newPath();
  });
  const open = (clock?: VirtualClock) => sqliteStorage({ env: testEnv(clock), path });

  it("has every entry, revision and event as before", async () => {
    const before = await open();
    for (const [key, value] of ["a1", "b1", "a2", "c1"] as unknown as [string, string][]) {
      await before.put(key, bytes(value));
    }
    await before.delete("b");
    await before.put("empty", new Uint8Array());
    const recorded = record(before, "", 0);
    const range = await before.range({ prefix: "" });
    const past = await before.range({ prefix: "", revision: 3 });
    await before.close();

    const after = await open();
    const recorder = record(after, "", 0);
    await recorder.reached(7);
    expect(recorder.events).toEqual(recorded.events);
    expect(await after.range({ prefix: "" })).toEqual(range);
    expect(await after.range({ prefix: "", revision: 3 })).toEqual(past);
    expect(await after.put("b", bytes("3"), { expected: 0 })).toMatchObject({ createRevision: 8, modRevision: 8 });
    await after.close();
  });

  it("still knows what was compacted, and has deleted what only that needed", async () => {
    const before = await open();
    for (const value of ["1", "2", "3"]) await before.put("a", bytes(value));
    await before.put("b", bytes("1"));
    await before.delete("b");
    await before.put("c", bytes("1"));
    await before.compact(7);
    await before.close();

    const file = new DatabaseSync(path);
    expect(file.prepare("SELECT revision FROM revisions").all()).toEqual([{ revision: 4 }, { revision: 7 }]);
    file.close();

    const after = await open();
    expect([after.revision, after.compactedRevision]).toEqual([7, 6]);
    await expect(after.get("a", 6)).rejects.toThrow(CompactedError);
    expect(text((await after.get("a", 7))?.value)).toBe("3");
    expect((await after.put("a", bytes("4"))).modRevision).toBe(8);
    await after.close();
  });

  it("keeps its newest revision when that was a deletion and has been compacted", async () => {
    const before = await open();
    await before.put("a", bytes("1"));
    await before.delete("a");
    await before.put("a", bytes("2"));
    await before.delete("a");
    await before.compact(5);
    await before.close();
    const after = await open();
    expect(after.revision).toBe(5);
    await after.close();
  });

  it("bounds the records in the file as it bounds the history", async () => {
    const before = await open();
    for (let round = 0; round < 13; round++) {
      await Promise.all(Array.from({ length: 1000 }, (_, n) => before.put(`${n % 500}`, bytes("1"))));
    }
    const { revision, compactedRevision } = before;
    await before.close();
    const file = new DatabaseSync(path);
    const rows = file.prepare("SELECT count(*) AS count FROM revisions").get()?.count as number;
    file.close();
    expect(rows).toBeLessThan(HISTORY_EVENTS_MAX + 2000);
    const after = await open();
    expect(after.revision).toBe(revision);
    expect(after.compactedRevision).toBeLessThanOrEqual(compactedRevision);
    expect((await after.range({ prefix: "" })).entries).toHaveLength(500);
    await after.close();
  });

  it("gives back the space of what was deleted, and has what is left", async () => {
    const before = await open();
    const value = new Uint8Array(2 ** 20).fill(97);
    for (let n = 0; n < 24; n++) await before.put(`${n}`, value);
    for (let n = 1; n < 24; n++) await before.delete(`${n}`);
    await before.compact(before.revision);
    await before.close();
    expect(statSync(path).size).toBeGreaterThan(20 * 2 ** 20);
    const after = await open();
    expect(statSync(path).size).toBeLessThan(3 * 2 ** 20);
    expect((await after.get("0"))?.value).toEqual(value);
    expect(after.revision).toBe(48);
    await after.close();
    const again = await open();
    expect((await again.range({ prefix: "" })).entries).toHaveLength(1);
    await again.close();
  });

  it("lets times to live go on, and ends those that are over", async () => {
    const clock = new VirtualClock();
    const before = await open(clock);
    await before.put("over", bytes("1"), { ttlMs: 1000 });
    await before.put("running", bytes("1"), { ttlMs: 10_000 });
    await before.close();
    await clock.advance(5000);
    const after = await open(clock);
    const recorder = record(after, "", 3);
    await clock.advance(0);
    await recorder.reached(4);
    expect(recorder.history).toBe("-over@4");
    await clock.advance(5000);
    await recorder.reached(5);
    expect(recorder.history).toBe("-over@4 -running@5");
    await after.close();
  });

  it("shows people what is in it", async () => {
    const storage = await open();
    await storage.put("/registry/pods/default/web", bytes(`{"kind":"Pod"}`));
    await storage.put("/registry/pods/default/web", bytes(`{"kind":"Pod","n":2}`));
    await storage.put("/registry/pods/default/gone", bytes("{}"));
    await storage.delete("/registry/pods/default/gone");
    await storage.close();
    const file = new DatabaseSync(path);
    expect(
      file.prepare("SELECT key, value, json_extract(value, '$.n') AS n, mod_revision FROM registry").all(),
    ).toEqual([{ key: "/registry/pods/default/web", value: `{"kind":"Pod","n":2}`, n: 2, mod_revision: 3 }]);
    file.close();
  });
});
