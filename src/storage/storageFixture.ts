import type { Env, Log } from "../lib/env.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import type { Storage, StorageEvent, Watcher } from "./storage.ts";

const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

/** A world for tests: time that stands still until it is moved, and no log. */
export function testEnv(clock = new VirtualClock()): Env & { readonly clock: VirtualClock } {
  return { clock, random: seededRandom("storage"), log: silentLog };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

/** `a=1@2`: the key a was put with the value 1 at revision 2; `-a@3`: it was deleted. */
export function notation(event: StorageEvent): string {
  const { key, value } = event.entry;
  return event.type === "put" ? `${key}=${text(value)}@${event.revision}` : `-${key}@${event.revision}`;
}

/** A watcher that remembers what it was told. */
export class Recorder implements Watcher {
  readonly events: StorageEvent[] = [];
  readonly revisions: number[] = [];
  ended: Error | undefined;
  #waiting: { readonly revision: number; resolve(): void }[] = [];

  onEvents(events: readonly StorageEvent[], revision: number): void {
    this.events.push(...events);
    this.revisions.push(revision);
    for (const waiting of this.#waiting) if (revision >= waiting.revision) waiting.resolve();
  }

  onEnd(error: Error): void {
    this.ended = error;
    for (const waiting of this.#waiting) waiting.resolve();
  }

  get history(): string {
    return this.events.map(notation).join(" ");
  }

  /** Resolves once the history has been delivered up to `revision`, or the watch has ended. */
  reached(revision: number): Promise<void> {
    if (this.ended !== undefined || (this.revisions.at(-1) ?? 0) >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ revision, resolve }));
  }
}

export function record(storage: Storage, prefix: string, sinceRevision: number): Recorder & { stop(): void } {
  const recorder = new Recorder();
  return Object.assign(recorder, { stop: storage.watch(prefix, sinceRevision, recorder) });
}
