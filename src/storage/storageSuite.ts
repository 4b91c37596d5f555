import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Env } from "../lib/env.ts";
import {
  CompactedError,
  ConflictError,
  FutureRevisionError,
  KeyNotFoundError,
  type Storage,
  StorageClosedError,
} from "./storage.ts";
import { bytes, record, testEnv, text } from "./storageFixture.ts";
import { matchesModel } from "./storageModel.ts";

/** What every engine must do. @param open makes an empty storage; whatever is on disk is the caller's to remove. */
export function storageSuite(name: string, open: (env: Env) => Promise<Storage>): void {
  describe(`the ${name} engine`, () => {
    let env = testEnv();
    let storage: Storage;
    beforeEach(async () => {
      env = testEnv();
      storage = await open(env);
    });
    afterEach(() => storage.close());

    const put = (key: string, value: string, expected?: number) => storage.put(key, bytes(value), { expected });
    const keysOf = async (request: Parameters<Storage["range"]>[0]) =>
      (await storage.range(request)).entries.map((entry) => `${entry.key}=${text(entry.value)}`).join(" ");

    describe("writes", () => {
      it("gives each write the next revision and remembers when the key was made", async () => {
        expect(storage.revision).toBe(1);
        await put("a", "1");
        await put("b", "1");
        expect(await put("a", "2")).toMatchObject({ key: "a", createRevision: 2, modRevision: 4 });
        expect(await storage.delete("b")).toMatchObject({ revision: 5, previous: { key: "b", modRevision: 3 } });
        expect(await put("b", "3")).toMatchObject({ createRevision: 6, modRevision: 6 });
        expect(storage.revision).toBe(6);
      });

      it("hands back the very bytes that it was given", async () => {
        const value = bytes("1");
        await storage.put("a", value);
        expect((await storage.get("a"))?.value).toBe(value);
      });

      it("shows nothing before it is durable", async () => {
        const written = put("a", "1");
        expect(storage.revision).toBe(1);
        expect(await storage.get("a")).toBeUndefined();
        await written;
        expect(text((await storage.get("a"))?.value)).toBe("1");
      });

      it("refuses to delete what does not exist", async () => {
        await expect(storage.delete("a")).rejects.toThrow(KeyNotFoundError);
        expect(storage.revision).toBe(1);
      });

      it("lets only one of many that make the same key win", async () => {
        const results = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => put("a", `${n}`, 0)));
        expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        expect(storage.revision).toBe(2);
      });

      it("compares with pending writes, and says what it found", async () => {
        const first = put("a", "1", 0);
        const second = put("a", "2", 2);
        const third = put("a", "3", 2);
        await expect(third).rejects.toMatchObject({ current: { key: "a", modRevision: 3 } });
        await expect(third).rejects.toThrow(ConflictError);
        const gone = storage.delete("a", { expected: 3 });
        const again = put("a", "4", 0);
        expect([await first, await second, await gone, await again]).toMatchObject([
          { modRevision: 2 },
          { modRevision: 3 },
          { revision: 4 },
          { createRevision: 5 },
        ]);
      });

      it("refuses a deletion that expects another revision", async () => {
        await put("a", "1");
        await expect(storage.delete("a", { expected: 1 })).rejects.toThrow(ConflictError);
      });

      it("loses no update when many writers count up one key", async () => {
        const countUp = async (): Promise<void> => {
          const current = await storage.get("n");
          const next = Number(current === undefined ? 0 : text(current.value)) + 1;
          await put("n", `${next}`, current?.modRevision ?? 0).catch(countUp);
        };
        await Promise.all(Array.from({ length: 30 }, countUp));
        expect(text((await storage.get("n"))?.value)).toBe("30");
      });
    });

    describe("reads", () => {
      beforeEach(async () => {
        for (const key of ["p/b", "p/a", "q/a", "p/c", "p"]) await put(key, "1");
      });

      it("gives the keys of a prefix in order", async () => {
        expect(await keysOf({ prefix: "p/" })).toBe("p/a=1 p/b=1 p/c=1");
        expect(await keysOf({ prefix: "" })).toBe("p=1 p/a=1 p/b=1 p/c=1 q/a=1");
        expect(await keysOf({ prefix: "r" })).toBe("");
      });

      it("pages, and counts what is left", async () => {
        expect(await storage.range({ prefix: "p/", limit: 2 })).toMatchObject({ remaining: 1, revision: 6 });
        expect(await keysOf({ prefix: "p/", after: "p/b" })).toBe("p/c=1");
        expect(await storage.range({ prefix: "p/", after: "p/a", limit: 2 })).toMatchObject({ remaining: 0 });
      });

      it("pages at a revision as if nothing had been written since", async () => {
        await put("p/b", "2");
        await storage.delete("p/a");
        await put("p/aa", "1");
        expect(await keysOf({ prefix: "p/" })).toBe("p/aa=1 p/b=2 p/c=1");
        expect(await keysOf({ prefix: "p/", revision: 6 })).toBe("p/a=1 p/b=1 p/c=1");
        expect(await keysOf({ prefix: "p/", revision: 7 })).toBe("p/a=1 p/b=2 p/c=1");
        const page = await storage.range({ prefix: "p/", revision: 6, limit: 1 });
        expect(page).toMatchObject({ remaining: 2, revision: 6, entries: [{ key: "p/a" }] });
        expect(await keysOf({ prefix: "p/", revision: 6, after: "p/a" })).toBe("p/b=1 p/c=1");
        expect(text((await storage.get("p/b", 6))?.value)).toBe("1");
        expect(await storage.get("p/aa", 8)).toBeUndefined();
      });

      it("refuses revisions that have not come yet", async () => {
        await expect(storage.range({ prefix: "", revision: 7 })).rejects.toThrow(FutureRevisionError);
        await expect(storage.get("p", 7)).rejects.toThrow(FutureRevisionError);
        await expect(storage.compact(7)).rejects.toThrow(FutureRevisionError);
      });
    });

    describe("watches", () => {
      it("deliver what came after a revision and then what comes, of their prefix only", async () => {
        await put("p/a", "1");
        await put("p/a", "2");
        const recorder = record(storage, "p/", 2);
        await put("q/a", "1");
        await storage.delete("p/a");
        expect(recorder.history).toBe("p/a=2@3 -p/a@5");
        expect(recorder.events).toMatchObject([{ previous: { modRevision: 2 } }, { entry: { modRevision: 3 } }]);
        expect(recorder.revisions.at(-1)).toBe(5);
      });

      it("start from the beginning at zero, and say at once how far they are", async () => {
        await put("a", "1");
        const all = record(storage, "", 0);
        const none = record(storage, "", 2);
        await Promise.resolve();
        expect(all.history).toBe("a=1@2");
        expect(none.revisions).toEqual([2]);
      });

      it("wait for a revision that has not come yet", async () => {
        const recorder = record(storage, "", 3);
        for (const value of ["1", "2", "3"]) await put("a", value);
        expect(recorder.history).toBe("a=3@4");
      });

      it("say nothing more once stopped", async () => {
        const recorder = record(storage, "", 1);
        recorder.stop();
        await put("a", "1");
        expect(recorder.revisions).toEqual([]);
      });

      it("have told every event before the write's promise resolves", async () => {
        const recorder = record(storage, "", 1);
        await put("a", "1");
        expect(recorder.history).toBe("a=1@2");
      });

      it("may write, watch and stop from within", async () => {
        const inner = record(storage, "", 1);
        const stop = storage.watch("a", 1, {
          onEvents: (events) => {
            if (events.length === 0) return;
            stop();
            inner.stop();
            Object.assign(inner, { written: put("b", "1"), later: record(storage, "", 1) });
          },
          onEnd: () => {},
        });
        await put("a", "1");
        const { written, later } = inner as unknown as { written: Promise<void>; later: typeof inner };
        await written;
        expect(later.history).toBe("a=1@2 b=1@3");
      });

      it("are ordered, complete and without duplicates under concurrent writers", async () => {
        const recorders: ReturnType<typeof record>[] = [];
        const write = async (writer: number) => {
          for (let n = 0; n < 20; n++) {
            await put(`k/${(writer * 7 + n) % 10}`, `${writer}.${n}`);
            if (n % 5 === 0) recorders.push(record(storage, "k/", Math.max(1, storage.revision - writer)));
            if (n % 7 === 0) await storage.delete(`k/${writer % 10}`).catch(() => undefined);
          }
        };
        await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
        const whole = record(storage, "k/", 1);
        await Promise.all([whole, ...recorders].map((recorder) => recorder.reached(storage.revision)));
        expect(whole.events.map(({ revision }) => revision)).toEqual(
          Array.from({ length: storage.revision - 1 }, (_, index) => index + 2),
        );
        for (const recorder of recorders) {
          const first = recorder.events[0]?.revision as number;
          expect(recorder.events).toEqual(whole.events.slice(first - 2));
        }
      });
    });

    describe("compaction", () => {
      beforeEach(async () => {
        for (const value of ["1", "2", "3", "4"]) await put("a", value);
        await put("b", "1");
        await storage.compact(4);
      });

      it("forgets what came before the revision, and keeps the revision", async () => {
        expect(storage.compactedRevision).toBe(3);
        await expect(storage.get("a", 3)).rejects.toThrow(CompactedError);
        await expect(storage.range({ prefix: "", revision: 2 })).rejects.toThrow(CompactedError);
        expect(text((await storage.get("a", 4))?.value)).toBe("3");
        expect(await keysOf({ prefix: "", revision: 4 })).toBe("a=3");
        expect(await keysOf({ prefix: "" })).toBe("a=4 b=1");
      });

      it("ends watches that ask for what is gone", async () => {
        const [gone, kept] = [record(storage, "", 3), record(storage, "", 4)];
        await Promise.resolve();
        expect(gone.ended).toBeInstanceOf(CompactedError);
        expect(gone.revisions).toEqual([]);
        expect(kept.history).toBe("a=4@5 b=1@6");
      });

      it("cannot be taken back", async () => {
        await expect(storage.compact(3)).rejects.toThrow(CompactedError);
        await storage.compact(4);
        await storage.compact(6);
        expect(await keysOf({ prefix: "", revision: 6 })).toBe("a=4 b=1");
        await put("c", "1");
        expect(record(storage, "", 6).ended).toBeUndefined();
      });
    });

    describe("times to live", () => {
      it("delete the key with an event when they end", async () => {
        const recorder = record(storage, "", 1);
        await storage.put("short", bytes("1"), { ttlMs: 1000 });
        await storage.put("long", bytes("1"), { ttlMs: 3_600_000 });
        await env.clock.advance(999);
        expect(await keysOf({ prefix: "" })).toBe("long=1 short=1");
        await env.clock.advance(1);
        await recorder.reached(4);
        await env.clock.advance(3_600_000);
        await recorder.reached(5);
        expect(recorder.history).toBe("short=1@2 long=1@3 -short@4 -long@5");
      });

      it("count from the latest write, and end with one that has none", async () => {
        await storage.put("renewed", bytes("1"), { ttlMs: 1000 });
        await storage.put("kept", bytes("1"), { ttlMs: 1000 });
        await env.clock.advance(900);
        await storage.put("renewed", bytes("2"), { ttlMs: 1000 });
        await put("kept", "2");
        const recorder = record(storage, "", storage.revision);
        await env.clock.advance(900);
        expect(await keysOf({ prefix: "" })).toBe("kept=2 renewed=2");
        await env.clock.advance(100_000);
        await recorder.reached(6);
        expect(recorder.history).toBe("-renewed@6");
      });
    });

    describe("closing", () => {
      it("waits for pending writes, ends watches and refuses everything after", async () => {
        const recorder = record(storage, "", 1);
        const written = put("a", "1");
        await storage.close();
        await storage.close();
        expect(await written).toMatchObject({ modRevision: 2 });
        expect(recorder.history).toBe("a=1@2");
        expect(recorder.ended).toBeInstanceOf(StorageClosedError);
        await expect(put("a", "2")).rejects.toThrow(StorageClosedError);
        await expect(storage.get("a")).rejects.toThrow(StorageClosedError);
        expect(() => record(storage, "", 1)).toThrow(StorageClosedError);
      });
    });

    it("does what a trivial model does, whatever is asked in whatever order", () => matchesModel(open));
  });
}
