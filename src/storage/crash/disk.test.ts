import { describe, expect, it } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { type CutMode, Disk, type DiskStep, SECTOR_BYTES } from "./disk.ts";

const path = "/d/f";
const create: DiskStep = { type: "create", path };
const write = (letter: string, offset = 0, length = 4): DiskStep => {
  return { type: "write", path, offset, data: new TextEncoder().encode(letter.repeat(length)) };
};
const sync = (upTo: number): DiskStep => ({ type: "sync", path, upTo });
const syncDirectory: DiskStep = { type: "sync", path: "/d", upTo: 0 };
const unlink: DiskStep = { type: "unlink", path };

const cases: { name: string; before?: string; steps: DiskStep[]; mode: CutMode; want: string | undefined }[] = [
  { name: "loses what was not synced", before: "old", steps: [write("a")], mode: "none", want: "old" },
  { name: "may keep what was not synced", before: "old", steps: [write("a")], mode: "all", want: "aaaa" },
  {
    name: "keeps what was synced",
    before: "old",
    steps: [write("a"), sync(1), write("b")],
    mode: "none",
    want: "aaaa",
  },
  {
    name: "does not count what came during the sync",
    before: "",
    steps: [write("a"), sync(0)],
    mode: "none",
    want: "",
  },
  {
    name: "keeps a synced truncation",
    before: "older",
    steps: [{ type: "truncate", path, size: 2 }, sync(1)],
    mode: "none",
    want: "ol",
  },
  {
    name: "loses a file whose directory was not synced",
    steps: [create, write("a"), sync(2)],
    mode: "none",
    want: undefined,
  },
  {
    name: "keeps a file whose directory was synced",
    steps: [create, write("a"), sync(2), syncDirectory],
    mode: "none",
    want: "aaaa",
  },
  {
    name: "brings back a file whose unlinking was not synced",
    before: "old",
    steps: [unlink],
    mode: "none",
    want: "old",
  },
  {
    name: "does not bring it back when it was",
    before: "old",
    steps: [unlink, syncDirectory],
    mode: "none",
    want: undefined,
  },
  { name: "fills a gap with zeros", before: "", steps: [write("a", 2, 1)], mode: "all", want: "\0\0a" },
];

describe("a power cut", () => {
  it.each(cases)("$name", ({ before, steps, mode, want }) => {
    const files = before === undefined ? [] : ([[path, new TextEncoder().encode(before)]] as const);
    const disk = new Disk(new Map(files));
    for (const step of steps) disk.replay(step);
    const content = disk.cut(mode, seededRandom("disk")).get(path);
    expect(content === undefined ? undefined : new TextDecoder().decode(content)).toBe(want);
  });

  it("leaves what it began with alone", () => {
    const before = Buffer.from("old");
    const disk = new Disk(new Map([[path, before]]));
    disk.replay(write("a", 0, 3));
    disk.cut("all", seededRandom("disk"));
    expect(before.toString()).toBe("old");
  });

  it("tears writes at sectors only", () => {
    const disk = new Disk(new Map([[path, new Uint8Array(8 * SECTOR_BYTES)]]));
    disk.replay(write("a", 100, 7 * SECTOR_BYTES));
    const content = disk.cut("some", seededRandom("tear")).get(path) as Uint8Array;
    const states = Array.from({ length: 6 }, (_, sector) => {
      const bytes = new Set(content.subarray((sector + 1) * SECTOR_BYTES, (sector + 2) * SECTOR_BYTES));
      expect(bytes.size).toBe(1);
      return [...bytes][0];
    });
    expect(new Set(states)).toEqual(new Set([0, 97]));
  });
});
