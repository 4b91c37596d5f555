import { sqliteStorage } from "../engines/sqlite.ts";
import type { Entry, Storage, StorageEvent } from "../storage.ts";
import { record, testEnv } from "../storageFixture.ts";
import { type Acknowledgement, decodeValue } from "./values.ts";

/** What was in the storage at some revision. */
export interface Known {
  readonly revision: number;
  readonly entries: ReadonlyMap<string, Entry>;
}

export const NOTHING_KNOWN: Known = { revision: 1, entries: new Map() };

const nameOf = (entry: Entry): string => {
  const said = decodeValue(entry.value);
  return said === undefined ? "torn" : `${said.writer}/${said.number}`;
};

function* lostWrites(events: readonly StorageEvent[], since: number, acknowledged: readonly Acknowledgement[]) {
  for (const { revision, type, key, value } of acknowledged) {
    const event = events[revision - since - 1];
    if (event === undefined) yield `revision ${revision}, a ${type} of ${key}, was acknowledged and is lost`;
    else if (event.type !== type || event.entry.key !== key || nameOf(event.entry) !== value) {
      yield `revision ${revision} was acknowledged as a ${type} of ${key}, and is another write now`;
    }
  }
}

/** Replays the events on what was known; each must fit on what came before it. */
function* brokenHistory(events: readonly StorageEvent[], known: Known, entries: Map<string, Entry>) {
  let revision = known.revision;
  for (const event of events) {
    const { key } = event.entry;
    const before = entries.get(key);
    if (event.revision !== ++revision) yield `revision ${event.revision} comes where ${revision} belongs`;
    if (nameOf(event.entry) === "torn") yield `revision ${event.revision} is torn`;
    const said = event.type === "put" ? event.previous : event.entry;
    if (said?.modRevision !== before?.modRevision) yield `revision ${event.revision} does not build on what was there`;
    if (event.type === "delete") entries.delete(key);
    else entries.set(key, event.entry);
    if (event.type === "put" && key.startsWith("/registry/counters/")) {
      const [from, to] = [before && decodeValue(before.value)?.count, decodeValue(event.entry.value)?.count];
      if (to !== (from ?? 0) + 1) yield `revision ${event.revision} counts ${from} up to ${to}`;
    }
  }
}

async function* wrongState(storage: Storage, entries: ReadonlyMap<string, Entry>) {
  const found = (await storage.range({ prefix: "" })).entries;
  if (found.length !== entries.size) yield `there are ${found.length} keys where ${entries.size} belong`;
  for (const entry of found) {
    const wanted = entries.get(entry.key);
    if (wanted?.modRevision !== entry.modRevision || wanted.createRevision !== entry.createRevision) {
      yield `the key ${entry.key} is not as its last event left it`;
    }
    if (nameOf(entry) === "torn") yield `the value of ${entry.key} is torn`;
  }
}

/**
 * Opens the file and compares it with what was known before and what has been acknowledged since.
 * @returns what is wrong, and what the storage holds now. More than was acknowledged may be there, but never less.
 */
export async function checkStorage(path: string, known: Known, acknowledged: readonly Acknowledgement[]) {
  const problems: string[] = [];
  const entries = new Map(known.entries);
  let storage: Storage;
  try {
    storage = await sqliteStorage({ env: testEnv(), path });
  } catch (error) {
    return { problems: [`it cannot be opened: ${(error as Error).message}`], known };
  }
  const { revision } = storage;
  if (revision < known.revision) problems.push(`it is at revision ${revision}, and was at ${known.revision}`);
  else {
    const recorder = record(storage, "", known.revision);
    await recorder.reached(revision);
    if (recorder.ended !== undefined) problems.push(`its history cannot be read: ${recorder.ended.message}`);
    problems.push(...lostWrites(recorder.events, known.revision, acknowledged));
    problems.push(...brokenHistory(recorder.events, known, entries));
    for await (const problem of wrongState(storage, entries)) problems.push(problem);
  }
  await storage.close();
  return { problems, known: { revision, entries } };
}
