import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { DamagedStorageError, StorageLockedError } from "../storage.ts";
import { bytes, testEnv } from "../storageFixture.ts";
import { sqliteStorage } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "skiff-storage-"));
afterAll(() => rmSync(directory, { recursive: true }));

let count = 0;
const newPath = () => join(directory, `${count++}`, "storage.db");
const open = (path: string) => sqliteStorage({ env: testEnv(), path });

async function filled(): Promise<string> {
  const path = newPath();
  const storage = await open(path);
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => storage.put(`/registry/${n}`, bytes(`value ${n} `.repeat(99)))),
  );
  await storage.close();
  return path;
}

function edit(path: string, change: (content: Buffer) => Buffer | undefined): void {
  const content = readFileSync(path);
  writeFileSync(path, change(content) ?? content);
}

function sql(path: string, statement: string): void {
  const file = new DatabaseSync(path);
  file.exec(statement);
  file.close();
}

const damages: { name: string; damage(path: string): void; reason: RegExp }[] = [
  {
    name: "a beginning that is not SQLite's",
    damage: (path) => edit(path, (content) => void content.write("nonsense")),
    reason: /is not a SQLite database, or its beginning is damaged/,
  },
  {
    name: "a file cut short",
    damage: (path) => edit(path, (content) => content.subarray(0, content.length >> 1)),
    reason: /it is damaged/,
  },
  {
    name: "pages overwritten",
    damage: (path) => edit(path, (content) => content.fill(0x5a, 3 * 4096)),
    reason: /it is damaged/,
  },
  {
    name: "one letter of a value changed",
    damage: (path) => edit(path, (content) => void content.write("X", content.indexOf("value 77 ") + 3)),
    reason: /the record of revision \d+ is damaged/,
  },
  {
    name: "a record missing",
    damage: (path) => sql(path, "DELETE FROM revisions WHERE revision = 77"),
    reason: /the record of revision 77 is missing/,
  },
  {
    name: "a format of the future",
    damage: (path) => sql(path, "PRAGMA user_version = 99"),
    reason: /it has format 99, and this version of skiff knows 1/,
  },
  {
    name: "another program's database",
    damage: (path) => {
      rmSync(path);
      sql(path, "CREATE TABLE t (c)");
    },
    reason: /it belongs to another program/,
  },
];

describe("the sqlite engine refuses", () => {
  it.each(damages)("$name, in one sentence, and changes nothing", async ({ damage, reason }) => {
    const path = await filled();
    damage(path);
    const before = readFileSync(path);
    const error = await open(path).catch((error: unknown) => error as Error);
    expect(error).toBeInstanceOf(DamagedStorageError);
    expect((error as Error).message).toMatch(reason);
    expect((error as Error).message).toContain(path);
    expect((error as Error).message).not.toContain("\n");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("a text file", async () => {
    const path = newPath();
    mkdirSync(dirname(path));
    writeFileSync(path, "hello");
    await expect(open(path)).rejects.toThrow(DamagedStorageError);
  });

  it("a directory, naming it", async () => {
    await expect(open(directory)).rejects.toThrow(`the storage file ${directory} cannot be opened`);
  });

  it("a file that this process has open, and takes it once that is closed", async () => {
    const path = newPath();
    const first = await open(path);
    await expect(open(path)).rejects.toThrow(StorageLockedError);
    await first.close();
    await (await open(path)).close();
  });

  it("a file that another process has open, until that is killed", async () => {
    const path = newPath();
    const source = `
      const { sqliteStorage } = await import(process.argv[1]);
      const { testEnv } = await import(process.argv[2]);
      const storage = await sqliteStorage({ env: testEnv(), path: process.argv[3] });
      await storage.put("a", new Uint8Array(1));
      console.log("open");
      setInterval(() => {}, 1000);`;
    const modules = ["./sqlite.ts", "../storageFixture.ts"].map((name) => new URL(name, import.meta.url).href);
    const args = ["--input-type=module", "-e", source, "--", ...modules, path];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const refused = open(path);
    await expect(refused).rejects.toThrow(StorageLockedError);
    await expect(refused).rejects.toThrow(`the storage file ${path} is in use by another process`);
    child.kill("SIGKILL");
    await once(child, "exit");
    const storage = await open(path);
    expect(storage.revision).toBe(2);
    await storage.close();
  });
});
