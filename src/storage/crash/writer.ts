/**
 * The process that is killed: many writers on one storage, each acknowledged write a line on stdout.
 * Arguments: file, seed, and options of the storage as JSON. Says its thread, and waits for a line before it opens.
 */
import { readlinkSync, writeSync } from "node:fs";
import { argv, exit, stdin } from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Random } from "../../lib/env.ts";
import { seededRandom } from "../../lib/random.ts";
import { sqliteStorage } from "../engines/sqlite.ts";
import { ConflictError, KeyNotFoundError, type Storage } from "../storage.ts";
import { testEnv } from "../storageFixture.ts";
import { decodeValue, encodeAcknowledgement, encodeValue } from "./values.ts";

const WRITERS = 24;
const KEYS_PER_WRITER = 8;
const COUNTERS = 3;

let told = "";

/** What is acknowledged together is told together, in one call. */
function tell(line: string): void {
  if (told === "") {
    queueMicrotask(() => {
      writeSync(1, told);
      told = "";
    });
  }
  told += line;
}

async function putOwn(storage: Storage, random: Random, writer: string, number: number): Promise<void> {
  const key = `/registry/${writer}/${random.int(KEYS_PER_WRITER)}`;
  const { modRevision } = await storage.put(key, encodeValue({ writer, number, count: 0 }));
  tell(encodeAcknowledgement({ revision: modRevision, type: "put", key, value: `${writer}/${number}` }));
}

async function deleteOwn(storage: Storage, random: Random, writer: string): Promise<void> {
  const key = `/registry/${writer}/${random.int(KEYS_PER_WRITER)}`;
  const { revision, previous } = await storage.delete(key);
  const last = decodeValue(previous.value);
  tell(encodeAcknowledgement({ revision, type: "delete", key, value: `${last?.writer}/${last?.number}` }));
}

async function countUp(storage: Storage, random: Random, writer: string, number: number): Promise<void> {
  const key = `/registry/counters/${random.int(COUNTERS)}`;
  const current = await storage.get(key);
  const count = (current === undefined ? 0 : (decodeValue(current.value)?.count ?? Number.NaN)) + 1;
  const value = encodeValue({ writer, number, count });
  const { modRevision } = await storage.put(key, value, { expected: current?.modRevision ?? 0 });
  tell(encodeAcknowledgement({ revision: modRevision, type: "put", key, value: `${writer}/${number}` }));
}

async function writeOn(storage: Storage, seed: string, writer: string): Promise<never> {
  const random = seededRandom(`${seed} ${writer}`);
  for (let number = 0; ; number++) {
    const choice = random.int(10);
    try {
      if (choice < 6) await putOwn(storage, random, writer, number);
      else if (choice < 8) await countUp(storage, random, writer, number);
      else await deleteOwn(storage, random, writer);
    } catch (error) {
      if (!(error instanceof ConflictError) && !(error instanceof KeyNotFoundError)) throw error;
    }
  }
}

async function run(path: string, seed: string, options: object): Promise<void> {
  const storage = await sqliteStorage({ env: testEnv(), path, ...options });
  await Promise.all(Array.from({ length: WRITERS }, (_, index) => writeOn(storage, seed, `${seed}-${index}`)));
}

if (isMainThread) {
  // The writers have a thread of their own, because a tracer must not follow the main one: its end is Node's to see.
  const worker = new Worker(new URL(import.meta.url), { workerData: argv.slice(2) });
  stdin.once("data", () => worker.postMessage("open"));
  stdin.once("end", () => exit());
} else {
  const [path = "", seed = "", options = "{}"] = workerData as string[];
  parentPort?.once("message", () => run(path, seed, JSON.parse(options)));
  writeSync(1, `${readlinkSync("/proc/thread-self").split("/").at(-1)}\n`);
}
