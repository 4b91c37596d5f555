import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readProcessRecord, signalProcess } from "./processRecord.ts";
import { realClock } from "./realEnv.ts";
import { COULD_NOT_START, endSupervisor, isAbandoned, restartsOf, spawnSupervised } from "./superviseControlPlane.ts";

let directory: string;
const at = (name: string) => join(directory, name);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skiff-supervise-"));
});
afterEach(async () => {
  const shell = readProcessRecord(at("shell"));
  if (shell !== undefined) signalProcess(shell, "SIGKILL");
  rmSync(directory, { recursive: true });
});

/** Runs a script in the place of a control plane. What it says goes to "said". */
const supervise = (script: string) =>
  spawnSupervised({ command: ["/bin/sh", "-c", script], record: at("shell"), log: openSync(at("said"), "a") });
const said = () => readFileSync(at("said"), "utf8").trim().split("\n");
const STATE = 'echo "$SKIFF_RESTARTS $SKIFF_ENDED_WITH"';

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await realClock.sleep(5);
}

test("one that ends unasked is started again, and knows how often and what the last one ended with", async () => {
  const shell = supervise(`${STATE}; [ $SKIFF_RESTARTS = 1 ] && exit 0; kill -9 $$`);
  expect(await once(shell, "exit")).toEqual([0, null]);
  expect(said().map((line) => line.trim())).toEqual(expect.arrayContaining(["0", "1 137"]));
});

test("one that was told to end stays ended", async () => {
  const shell = supervise("echo up");
  expect(await once(shell, "exit")).toEqual([0, null]);
  expect(said()).toContain("up");
});

test("one that cannot start the first time is not tried again, and later is", async () => {
  const first = supervise(`exit ${COULD_NOT_START}`);
  expect(await once(first, "exit")).toEqual([COULD_NOT_START, null]);
  const unsaid = supervise("exit 1");
  expect(await once(unsaid, "exit")).toEqual([1, null]);
  const later = supervise(`${STATE}; case $SKIFF_RESTARTS in 0) kill -9 $$;; 1) exit ${COULD_NOT_START};; esac`);
  expect(await once(later, "exit")).toEqual([0, null]);
  expect(said().slice(-1)).toEqual([`2 ${COULD_NOT_START}`]);
});

test("one that keeps ending is started again ever more slowly", async () => {
  const shell = supervise("date +%s%N; [ $SKIFF_RESTARTS = 2 ] && exit 0; kill -9 $$");
  await once(shell, "exit");
  const [first, second, third] = said()
    .filter((line) => /^\d+$/.test(line))
    .map((line) => Number(line) / 1e6) as [number, number, number];
  expect(second - first).toBeLessThan(900);
  expect(third - second).toBeGreaterThanOrEqual(1_000);
});

test("once the shell is ended nothing is started again", async () => {
  const shell = supervise("echo $$; exec sleep 1000");
  const ended = once(shell, "exit");
  await until(() => /\d/.test(said()[0] ?? ""));
  await endSupervisor(at("shell"), realClock);
  // Whoever stops the cluster does this next.
  process.kill(Number(said()[0]), "SIGKILL");
  expect(await ended).toEqual([null, "SIGTERM"]);
  expect(readProcessRecord(at("shell"))).toBeUndefined();
  await endSupervisor(at("shell"), realClock);
});

test.each([
  { name: "started by a shell that lives", SKIFF_SUPERVISOR: "7", ppid: 7, want: false },
  { name: "started by a shell that is gone", SKIFF_SUPERVISOR: "7", ppid: 1, want: true },
  { name: "started by hand", SKIFF_SUPERVISOR: undefined, ppid: 1, want: false },
])("a control plane $name is abandoned: $want", ({ ppid, want, SKIFF_SUPERVISOR }) => {
  const env = SKIFF_SUPERVISOR === undefined ? {} : { SKIFF_SUPERVISOR };
  expect(isAbandoned({ ppid, env })).toBe(want);
  expect(restartsOf({ ppid, env })).toEqual({ restarts: 0, endedWith: 0 });
});
