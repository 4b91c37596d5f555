import { expect, test } from "vitest";
import { fullDiskError } from "./fullDisk.ts";

test.each([
  { name: "room for a store", bavail: 1_000, bsize: 4096, want: undefined },
  { name: "nothing", bavail: 0, bsize: 4096, want: "the disk of / is full (0 KiB left): make room, or " },
  { name: "too little", bavail: 100, bsize: 4096, want: "the disk of / is full (400 KiB left): make room, or " },
])("a disk with $name left", ({ want, ...space }) => {
  const error = fullDiskError("/", () => space);
  if (want === undefined) expect(error).toBeUndefined();
  else expect(error?.message).toContain(want);
});

test("a folder that is not there has no full disk", () => {
  expect(fullDiskError("/nowhere/at/all")).toBeUndefined();
});
