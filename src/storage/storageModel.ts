import * as fc from "fast-check";
import { expect } from "vitest";
import type { Env } from "../lib/env.ts";
import { CompactedError, ConflictError, KeyNotFoundError, type Storage } from "./storage.ts";
import { notation, record, testEnv } from "./storageFixture.ts";

/** What is asked: writes run concurrently until `settle`. `expect` is what a write expects, seen from the model. */
type Step =
  | { readonly do: "put"; readonly key: string; readonly expect: "nothing" | "newest" | "stale" | "anything" }
  | { readonly do: "delete"; readonly key: string; readonly expect: "newest" | "stale" | "anything" }
  | { readonly do: "settle" }
  | { readonly do: "compact" }
  | { readonly do: "read"; readonly back: number; readonly after: string; readonly limit: number };

const key = fc.constantFrom("a", "a/a", "a/b", "b/a", "b/b");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("put" as const),
    key,
    expect: fc.constantFrom("nothing" as const, "newest" as const, "stale" as const, "anything" as const),
  }),
  fc.record({
    do: fc.constant("delete" as const),
    key,
    expect: fc.constantFrom("newest" as const, "stale" as const, "anything" as const),
  }),
  fc.record({ do: fc.constant("settle" as const) }),
  fc.record({ do: fc.constant("compact" as const) }),
  fc.record({ do: fc.constant("read" as const), back: fc.nat(8), after: key, limit: fc.nat(3) }),
);

/** key → revision of its latest write; the value of a write is its number among all steps. */
type State = ReadonlyMap<string, { readonly revision: number; readonly created: number; readonly value: number }>;

/** The model: every state that there ever was. */
class Model {
  readonly states: State[] = [new Map(), new Map()];
  readonly history: string[] = [];

  get newest(): State {
    return this.states.at(-1) as State;
  }

  /** @returns the error that the write must end with, or its revision. */
  write(asked: Extract<Step, { key: string }>, expected: number | undefined, value: number): string | number {
    const current = this.newest.get(asked.key);
    if (asked.do === "delete" && current === undefined) return KeyNotFoundError.name;
    if (expected !== undefined && expected !== (current?.revision ?? 0)) return ConflictError.name;
    const next = new Map(this.newest);
    const revision = this.states.length;
    if (asked.do === "delete") next.delete(asked.key);
    else next.set(asked.key, { revision, created: current?.created ?? revision, value });
    this.history.push(asked.do === "delete" ? `-${asked.key}@${revision}` : `${asked.key}=${value}@${revision}`);
    this.states.push(next);
    return revision;
  }
}

function expectedRevision(model: Model, asked: Extract<Step, { key: string }>): number | undefined {
  const current = model.newest.get(asked.key)?.revision ?? 0;
  if (asked.expect === "anything") return undefined;
  if (asked.expect === "nothing") return 0;
  return asked.expect === "newest" ? current : current + 1;
}

async function write(storage: Storage, asked: Extract<Step, { key: string }>, expected: number | undefined, n: number) {
  try {
    if (asked.do === "delete") return (await storage.delete(asked.key, { expected })).revision;
    return (await storage.put(asked.key, new TextEncoder().encode(`${n}`), { expected })).modRevision;
  } catch (error) {
    return (error as Error).name;
  }
}

async function checkRead(storage: Storage, model: Model, { back, after, limit }: Extract<Step, { do: "read" }>) {
  const revision = Math.max(1, storage.revision - back);
  const reading = storage.range({ prefix: "a", after, limit, revision });
  if (storage.compactedRevision > 0 && revision <= storage.compactedRevision) {
    await expect(reading).rejects.toThrow(CompactedError);
    return;
  }
  const wanted = [...(model.states[revision] as State)].filter(([key]) => key.startsWith("a") && key > after).sort();
  const page = limit === 0 ? wanted : wanted.slice(0, limit);
  const { entries, remaining } = await reading;
  const shown = entries.map(({ key, createRevision, modRevision, value }) => [
    key,
    { revision: modRevision, created: createRevision, value: Number(new TextDecoder().decode(value)) },
  ]);
  expect(shown).toEqual(page);
  expect(remaining).toBe(wanted.length - page.length);
}

async function run(storage: Storage, steps: readonly Step[]): Promise<void> {
  const model = new Model();
  const recorder = record(storage, "", 1);
  let writes: Promise<void>[] = [];
  const settled = async () => {
    await Promise.all(writes);
    writes = [];
  };
  for (const [n, asked] of steps.entries()) {
    if (asked.do === "settle") await settled();
    else if (asked.do === "read") await checkRead(storage, model, asked);
    else if (asked.do === "compact") {
      await settled();
      if (storage.revision - 2 > storage.compactedRevision) await storage.compact(storage.revision - 2);
    } else {
      const expected = expectedRevision(model, asked);
      const wanted = model.write(asked, expected, n);
      writes.push(write(storage, asked, expected, n).then((outcome) => expect(outcome).toBe(wanted)));
    }
  }
  await settled();
  await recorder.reached(model.states.length - 1);
  expect(storage.revision).toBe(model.states.length - 1);
  expect(recorder.events.map(notation)).toEqual(model.history);
}

/** @throws the smallest sequence of steps at which the storage and the model part. */
export async function matchesModel(open: (env: Env) => Promise<Storage>, runs = 60): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const storage = await open(testEnv());
      try {
        await run(storage, steps);
      } finally {
        await storage.close();
      }
    }),
    { numRuns: runs, seed: 1 },
  );
}
