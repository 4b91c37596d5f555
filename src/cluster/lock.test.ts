import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tryLock, withLock } from "./lock.ts";
import { realClock } from "./realEnv.ts";

const lockFile = join(import.meta.dirname, "lock.ts");
let count = 0;
const fresh = () => `lock.test ${process.pid} ${count++} ${"long ".repeat(50)}`;
const patient = { clock: realClock, withinMs: 10_000, busy: "busy" };

test("a lock has one holder, and another one when it is released", async () => {
  const name = fresh();
  const first = await tryLock(name);
  expect(first).toBeDefined();
  expect(await tryLock(name)).toBeUndefined();
  const other = await tryLock(fresh());
  expect(other).toBeDefined();
  other?.release();
  first?.release();
  const second = await tryLock(name);
  expect(second).toBeDefined();
  second?.release();
});

test("work under a lock is done one after the other, also after work that fails", async () => {
  const name = fresh();
  const said: string[] = [];
  const work = (who: string) =>
    withLock(name, patient, async () => {
      said.push(`${who} begins`);
      await realClock.sleep(5);
      said.push(`${who} ends`);
      if (who === "a") throw new Error("a failed");
    });
  const results = await Promise.allSettled(["a", "b", "c"].map(work));
  expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  for (let index = 0; index < said.length; index += 2)
    expect(said[index]?.split(" ")[0]).toBe(said[index + 1]?.split(" ")[0]);
});

test("who waits too long is told why", async () => {
  const name = fresh();
  const lock = await tryLock(name);
  await expect(withLock(name, { ...patient, withinMs: 30 }, async () => undefined)).rejects.toThrow("busy");
  lock?.release();
});

test("a lock goes with a holder that is killed", async () => {
  const name = fresh();
  const program = `
    const { tryLock } = await import(${JSON.stringify(lockFile)});
    console.log(await tryLock(${JSON.stringify(name)}) === undefined ? "refused" : "held");
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await once(holder.stdout, "data");
  expect(`${said}`).toBe("held\n");
  expect(await tryLock(name)).toBeUndefined();
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const lock = await tryLock(name);
  expect(lock).toBeDefined();
  lock?.release();
});
