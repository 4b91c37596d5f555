import type { Env } from "../../lib/env.ts";
import type { Journal } from "../journal.ts";
import { JournaledStorage } from "../journaledStorage.ts";
import type { Storage } from "../storage.ts";

/** What is in memory is as durable as it will ever be. */
const noJournal: Journal = {
  commit: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Keeps everything in this process and nothing on disk; uses microtasks only, so it is deterministic in virtual time. */
export function memoryStorage({ env }: { readonly env: Env }): Storage {
  return new JournaledStorage(env, noJournal);
}
