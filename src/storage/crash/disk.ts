import { dirname } from "node:path";
import type { Random } from "../../lib/env.ts";

/** What a process asked of the disk, in the order in which it asked, and what it told others in between. */
export type DiskStep =
  | { readonly type: "create"; readonly path: string }
  | { readonly type: "write"; readonly path: string; readonly offset: number; readonly data: Uint8Array }
  | { readonly type: "truncate"; readonly path: string; readonly size: number }
  | { readonly type: "unlink"; readonly path: string }
  /** Everything before step number `upTo` that was asked of this file, or directory, is on the disk. */
  | { readonly type: "sync"; readonly path: string; readonly upTo: number }
  | { readonly type: "tell"; readonly text: string }
  /** It was asked, and refused. */
  | { readonly type: "nothing" };

export type Change = Extract<DiskStep, { type: "write" | "truncate" }>;

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

/**
 * What survives of the changes that were not synced: none of them, all of them, or any sectors of any of them.
 * A disk may choose freely, so all three must be survived.
 */
export type CutMode = "none" | "all" | "some";

interface File {
  synced: Uint8Array;
  unsynced: { readonly number: number; readonly change: Change }[];
}

function withLength(content: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  result.set(content.subarray(0, length));
  return result;
}

/** A copy, in which the changes have been made. */
function withChanges(content: Uint8Array, changes: readonly Change[]): Uint8Array {
  let result = withLength(content, content.length);
  for (const change of changes) {
    const length =
      change.type === "truncate" ? change.size : Math.max(result.length, change.offset + change.data.length);
    if (length !== result.length) result = withLength(result, length);
    if (change.type === "write") result.set(change.data, change.offset);
  }
  return result;
}

/** The parts of a write that lie in one sector each. */
function sectors(write: Extract<Change, { type: "write" }>): Change[] {
  const parts: Change[] = [];
  const end = write.offset + write.data.length;
  for (let offset = write.offset; offset < end; ) {
    const next = Math.min(end, (Math.floor(offset / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    parts.push({ ...write, offset, data: write.data.subarray(offset - write.offset, next - write.offset) });
    offset = next;
  }
  return parts;
}

/** The changes that the disk happens to have made. */
function survivors(changes: readonly Change[], mode: CutMode, random: Random): Change[] {
  if (mode !== "some") return mode === "all" ? [...changes] : [];
  const parts = changes.flatMap((change) => (change.type === "write" ? sectors(change) : [change]));
  return parts.filter(() => random.int(2) === 0);
}

/**
 * A disk with a cache, as POSIX promises it and no better: a file's content is safe once the file was synced, its name
 * once the directory was. Replays what a process did and cuts the power at any step.
 *
 * Worked history: create f; write f; sync f; write f again: cut here, the name f may be missing. Sync the directory:
 * cut here, f has the first write, and any sectors of the second.
 */
export class Disk {
  readonly #names: Map<string, File>;
  #syncedNames: Map<string, File>;
  #steps = 0;

  /** @param files what is safely there at the beginning, by path. */
  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#names = new Map([...files].map(([path, synced]) => [path, { synced, unsynced: [] }]));
    this.#syncedNames = new Map(this.#names);
  }

  replay(step: DiskStep): void {
    const number = this.#steps++;
    switch (step.type) {
      case "create":
        this.#names.set(step.path, { synced: new Uint8Array(), unsynced: [] });
        break;
      case "unlink":
        this.#names.delete(step.path);
        break;
      case "write":
      case "truncate":
        this.#names.get(step.path)?.unsynced.push({ number, change: step });
        break;
      case "sync":
        this.#sync(step.path, step.upTo);
        break;
    }
  }

  /** What the disk holds when the power comes back, by path. */
  cut(mode: CutMode, random: Random): Map<string, Uint8Array> {
    const result = new Map<string, Uint8Array>();
    for (const path of new Set([...this.#names.keys(), ...this.#syncedNames.keys()])) {
      const made = mode === "all" || (mode === "some" && random.int(2) === 0);
      const file = (made ? this.#names : this.#syncedNames).get(path);
      if (file === undefined) continue;
      const changes = file.unsynced.map(({ change }) => change);
      result.set(path, withChanges(file.synced, survivors(changes, mode, random)));
    }
    return result;
  }

  #sync(path: string, upTo: number): void {
    const file = this.#names.get(path);
    if (file === undefined) {
      const elsewhere = [...this.#syncedNames].filter(([name]) => dirname(name) !== path);
      const here = [...this.#names].filter(([name]) => dirname(name) === path);
      this.#syncedNames = new Map([...elsewhere, ...here]);
      return;
    }
    const changes = file.unsynced.flatMap(({ number, change }) => (number < upTo ? change : []));
    file.synced = withChanges(file.synced, changes);
    file.unsynced = file.unsynced.slice(changes.length);
  }
}
