import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { deleteCluster } from "./down.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skiff-down-"));
  vi.stubEnv("SKIFF_HOME", home);
  vi.stubEnv("KUBECONFIG", join(home, "kubeconfig"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const dataOf = (name: string) => {
  const path = join(home, "data", name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "store.sqlite"), "x");
};

test("delete removes the cluster, what a delete that was killed left of it, and nothing of another", async () => {
  for (const name of ["a", ".a.deleted", "b"]) dataOf(name);
  expect(await deleteCluster("a")).toBeUndefined();
  expect(readdirSync(join(home, "data"))).toEqual(["b"]);
});

test("delete of the last one leaves no folder, and of none is harmless", async () => {
  dataOf("a");
  await deleteCluster("a");
  await deleteCluster("a");
  expect(existsSync(join(home, "data"))).toBe(false);
});
