/** Commands that meet: several clusters made at once, one cluster started twice, and stopped or deleted as it starts. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { type Finished, tryRun } from "./processes.ts";
import { createTestCluster, skiffCommand, type TestCluster } from "./testCluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await createTestCluster();
});
afterEach(() => cluster.delete());

const UP = ["up", "--runtime", "simulated"];
const file = (name: string) => join(cluster.home, "run", cluster.name, name);
const pidIn = (path: string): number => JSON.parse(readFileSync(path, "utf8")).pid;
/** No port is given: the clusters of other test files choose among the same ones. */
const skiff = (name: string, ...words: readonly string[]) =>
  tryRun([...skiffCommand, ...words, "--name", name], { env: cluster.env });

describe("several new clusters at once", () => {
  test("have ports and numbers of their own", async () => {
    const names = ["a", "b", "c"].map((letter) => `${cluster.name}${letter}`);
    try {
      const ups = await Promise.all(names.map((name) => skiff(name, ...UP)));
      expect(ups.map(({ code, stderr }) => (code === 0 ? "up" : stderr))).toEqual(["up", "up", "up"]);
      const configs = names.map((name) =>
        JSON.parse(readFileSync(join(cluster.home, "data", name, "cluster.json"), "utf8")),
      );
      expect(new Set(configs.map(({ apiPort }) => apiPort)).size).toBe(3);
      expect(configs.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    } finally {
      for (const name of names) await skiff(name, "delete");
    }
  });
});

describe("one cluster", () => {
  const stoppedOrUp = ({ code, stderr }: Finished) => {
    if (code === 0) return;
    expect(stderr).toMatch(/^skiff: cluster "\w+" was stopped while it was starting$/m);
    expect(stderr).not.toMatch(/^\s+at /m);
  };

  test("started three times at once is started once, and all three wait until it is Ready", async () => {
    const ups = await Promise.all([1, 2, 3].map(() => cluster.trySkiff(UP)));
    expect(ups.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(ups.filter(({ stderr }) => stderr.includes("already running"))).toHaveLength(2);
    expect(await cluster.kubectl("get nodes --no-headers")).toMatch(/ Ready /);
  });

  test.each([50, 150, 250, 400, 600])("deleted %d ms after its start is gone, and up says so", async (delayMs) => {
    const up = cluster.trySkiff(UP);
    await sleep(delayMs);
    expect(await cluster.trySkiff("delete")).toMatchObject({ code: 0 });
    const finished = await up;
    // Who deletes before anything was there comes too early.
    if (finished.code === 0 && existsSync(cluster.kubeconfig)) return;
    stoppedOrUp(finished);
    expect(existsSync(join(cluster.home, "data")) || existsSync(join(cluster.home, "run"))).toBe(false);
  });

  test("started while it is being deleted is there again", async () => {
    await cluster.up(UP.slice(1));
    const deleted = cluster.trySkiff("delete");
    await sleep(100);
    const up = await cluster.trySkiff(UP);
    expect(await deleted).toMatchObject({ code: 0 });
    stoppedOrUp(up);
  });

  test("whose control plane ends again and again is started again, and stays down when it is stopped", async () => {
    await cluster.up(UP.slice(1));
    const first = pidIn(file("control-plane.json"));
    process.kill(first, "SIGKILL");
    const second = await eventually(
      () => pidIn(file("control-plane.json")),
      (pid) => pid !== first,
    );
    await eventually(
      () => cluster.tryKubectl("get namespaces default -o name"),
      ({ code }) => code === 0,
    );
    // Stopped in the moment in which the shell starts the next one.
    process.kill(second, "SIGKILL");
    await sleep(1_000);
    expect(await cluster.trySkiff("down")).toMatchObject({ code: 0 });
    await sleep(500);
    expect(existsSync(join(cluster.home, "run"))).toBe(false);
    expect(await cluster.trySkiff("status")).toMatchObject({ code: 1 });
  });
});
