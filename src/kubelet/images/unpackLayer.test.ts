import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { requireRoot } from "../../lib/testCapabilities.ts";
import { getAttribute } from "../nodeEnvironment/systemCalls.ts";
import { readTar } from "./tarReader.ts";
import { streamOf, type TestEntry, tarOf } from "./testing/tarOf.ts";
import { temporaryDirectory } from "./testing/temporaryStore.ts";
import { unpackLayer } from "./unpackLayer.ts";

/** Unpacks layers on top of each other, and gives their directories, the topmost last. */
async function unpack(...layers: (readonly TestEntry[])[]): Promise<string[]> {
  const directory = temporaryDirectory();
  const roots: string[] = [];
  for (const [index, entries] of layers.entries()) {
    const root = join(directory, String(index));
    mkdirSync(root);
    await unpackLayer(streamOf(await tarOf(entries)), root, roots.toReversed());
    roots.push(root);
  }
  return roots;
}

const read = (...path: string[]) => readFileSync(join(...path), "utf8");

describe.runIf(requireRoot())("unpacking a layer", () => {
  test("files have their content, mode, owner and time", async () => {
    const [root = ""] = await unpack([
      { name: "a", content: "x", mode: 0o4755, uid: 7, gid: 8, mtime: new Date(1000) },
    ]);
    const { mode, uid, gid, mtimeMs } = lstatSync(join(root, "a"));
    expect([read(root, "a"), mode & 0o7777, uid, gid, mtimeMs]).toEqual(["x", 0o4755, 7, 8, 1000]);
  });

  test("directories keep their time though files are written into them later", async () => {
    const [root = ""] = await unpack([
      { name: "d/", type: "directory", mode: 0o700, mtime: new Date(5000) },
      { name: "d/f", content: "x" },
    ]);
    expect(lstatSync(join(root, "d"))).toMatchObject({ mtimeMs: 5000, mode: 0o40700 });
  });

  test("hard links are one file, symbolic links keep their words", async () => {
    const [root = ""] = await unpack([
      { name: "a", content: "x" },
      { name: "b", type: "link", linkname: "a" },
      { name: "c", type: "symlink", linkname: "/etc/passwd" },
    ]);
    expect(lstatSync(join(root, "b")).ino).toBe(lstatSync(join(root, "a")).ino);
    expect(readlinkSync(join(root, "c"))).toBe("/etc/passwd");
  });

  test("a whiteout is a character device 0/0, an opaque one an attribute", async () => {
    const [, root = ""] = await unpack(
      [{ name: "a" }, { name: "d/f" }],
      [{ name: ".wh.a" }, { name: "d/.wh..wh..opq" }, { name: "d/g" }],
    );
    const mark = lstatSync(join(root, "a"));
    expect([mark.isCharacterDevice(), mark.rdev]).toEqual([true, 0]);
    expect(getAttribute(join(root, "d"), "trusted.overlay.opaque")?.toString()).toBe("y");
  });

  test("a directory made anew after its whiteout hides what was below", async () => {
    const [, root = ""] = await unpack([{ name: "d/f" }], [{ name: ".wh.d" }, { name: "d/g" }]);
    expect(getAttribute(join(root, "d"), "trusted.overlay.opaque")?.toString()).toBe("y");
  });

  test("a directory that is only implied looks as it does in the layer below", async () => {
    const [, root = ""] = await unpack([{ name: "t/", type: "directory", mode: 0o1777, uid: 5 }], [{ name: "t/f" }]);
    expect(lstatSync(join(root, "t"))).toMatchObject({ mode: 0o41777, uid: 5 });
  });

  test("a link to a directory in the layer below is followed", async () => {
    const [, root = ""] = await unpack(
      [
        { name: "usr/lib/", type: "directory" },
        { name: "lib", type: "symlink", linkname: "usr/lib" },
      ],
      [{ name: "lib/f", content: "x" }],
    );
    expect(read(root, "usr/lib/f")).toBe("x");
  });

  test("a hard link to a file of the layer below copies it", async () => {
    const [, root = ""] = await unpack(
      [{ name: "a", content: "x", mode: 0o751 }],
      [{ name: "b", type: "link", linkname: "a" }],
    );
    expect([read(root, "b"), lstatSync(join(root, "b")).mode & 0o7777]).toEqual(["x", 0o751]);
  });

  test("a later entry of the same name replaces the earlier", async () => {
    const [root = ""] = await unpack([
      { name: "a/f", content: "x" },
      { name: "a", content: "y" },
    ]);
    expect(read(root, "a")).toBe("y");
  });

  test("long names and large owners survive", async () => {
    const name = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(120)}`;
    const [root = ""] = await unpack([{ name, content: "x", pax: { uid: "3000000" } }]);
    expect([read(root, name), lstatSync(join(root, name)).uid]).toEqual(["x", 3_000_000]);
  });

  test("extended attributes stay binary", async () => {
    const value = Buffer.from([1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const record = Buffer.concat([Buffer.from("57 SCHILY.xattr.security.capability="), value, Buffer.from("\n")]);
    expect(record.length).toBe(57);
    const [pax, entry] = await Promise.all([
      tarOf([{ name: "P", content: record }]),
      tarOf([{ name: "ping", content: "x" }]),
    ]);
    pax[156] = "x".charCodeAt(0);
    pax.write("        ", 148);
    pax.write(
      `${pax
        .subarray(0, 512)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0`,
      148,
    );
    const root = temporaryDirectory();
    const archive = Buffer.concat([pax.subarray(0, 1024), entry]);
    await unpackLayer(streamOf(archive), root, []);
    expect(getAttribute(join(root, "ping"), "security.capability")?.equals(value)).toBe(true);
  });
});

describe.runIf(requireRoot())("a layer cannot write outside its root", () => {
  const outside = { name: "escape/f", content: "gotcha" };
  const cases = [
    { name: "through .. in a name", entries: [{ name: "../f", content: "x" }], error: "invalid path" },
    {
      name: "through .. in a hard link",
      entries: [{ name: "a", type: "link", linkname: "../../etc/passwd" }],
      error: "invalid path",
    },
    {
      name: "through an absolute symbolic link",
      entries: [{ name: "escape", type: "symlink", linkname: "/tmp" }, outside],
    },
    {
      name: "through a relative symbolic link",
      entries: [{ name: "escape", type: "symlink", linkname: "../../.." }, outside],
    },
    {
      name: "through a chain of links",
      entries: [
        { name: "a", type: "symlink", linkname: "/" },
        { name: "escape", type: "symlink", linkname: "a/../../.." },
        outside,
      ],
    },
    {
      name: "through links in a circle",
      entries: [
        { name: "escape", type: "symlink", linkname: "b" },
        { name: "b", type: "symlink", linkname: "escape" },
        outside,
      ],
      error: "too many symbolic links",
    },
    {
      name: "through a link in the place of a file",
      entries: [
        { name: "f", type: "symlink", linkname: "/tmp/skiff-target" },
        { name: "f", content: "own" },
      ],
    },
  ] as const;
  test.each(cases)("$name", async (attempt) => {
    const directory = temporaryDirectory();
    const root = join(directory, "deep", "root");
    mkdirSync(root, { recursive: true });
    const done = unpackLayer(streamOf(await tarOf(attempt.entries)), root, []);
    if ("error" in attempt) await expect(done).rejects.toThrow(attempt.error);
    else await done;
    const found = execFileSync("find", [directory, "-type", "f", "-not", "-path", `${root}/*`]).toString();
    expect([found, existsSync("/tmp/f"), existsSync("/tmp/skiff-target")]).toEqual(["", false, false]);
  });
});

describe("reading archives", () => {
  test("an archive that breaks off is an error", async () => {
    const archive = (await tarOf([{ name: "a", content: "x".repeat(2000) }])).subarray(0, 1500);
    const all = async () => {
      for await (const { content } of readTar(streamOf(archive))) for await (const _ of content);
    };
    await expect(all()).rejects.toThrow("unexpected end of the archive");
  });

  test("what GNU tar writes is read", async () => {
    const directory = temporaryDirectory();
    const name = `${"long".repeat(40)}.txt`;
    writeFileSync(join(directory, name), "x");
    symlinkSync("y".repeat(150), join(directory, "link"));
    const archive = execFileSync("tar", ["--format=gnu", "-c", "-C", directory, name, "link"]);
    const found: string[][] = [];
    for await (const { header } of readTar(streamOf(archive))) {
      found.push([header.path, header.type, header.linkName]);
    }
    expect(found).toEqual([
      [name, "file", ""],
      ["link", "symlink", "y".repeat(150)],
    ]);
  });
});
