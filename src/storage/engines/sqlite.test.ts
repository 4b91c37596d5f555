import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { storageSuite } from "../storageSuite.ts";
import { sqliteStorage } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "skiff-storage-"));
afterAll(() => rmSync(directory, { recursive: true }));

let count = 0;
storageSuite("sqlite", (env) => sqliteStorage({ env, path: join(directory, `${count++}`, "storage.db") }));
