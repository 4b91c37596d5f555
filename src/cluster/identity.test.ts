import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import { createAuthority, type KeyPair } from "../pki/certificates.ts";
import { loadIdentity } from "./identity.ts";

const DAY_MS = 24 * 3_600_000;
const NAMES = { serverNames: ["localhost"], serverIps: ["127.0.0.1"] };

let directory: string;
const startMs = Date.UTC(2026, 0, 1);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skiff-pki-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const envAt = (nowMs: number) => ({
  clock: new VirtualClock(nowMs),
  random: seededRandom(`pki ${nowMs}`),
  log: silentLog,
});
const load = (days = 0, names = NAMES) => loadIdentity(envAt(startMs + days * DAY_MS), directory, names);
const path = (name: string) => join(directory, name);
const isSignedBy = (pair: KeyPair, authority: KeyPair) =>
  new X509Certificate(pair.certificate).verify(new X509Certificate(authority.certificate).publicKey);

describe("a cluster's keys and certificates", () => {
  test("are kept", async () => {
    const first = await load();
    expect(await load(60)).toMatchObject({ ca: first.ca, server: first.server, admin: first.admin });
    expect((await load(60)).signingKey).toBe(first.signingKey);
    expect(await (await load()).node("n1", ["10.0.0.1"])).toEqual(await first.node("n1", ["10.0.0.1"]));
  });

  test("are made anew at a start from which they would not last 300 days, by the same authority", async () => {
    const first = await load();
    const later = await load(70);
    expect(later.ca).toEqual(first.ca);
    expect(later.server.certificate).not.toBe(first.server.certificate);
    expect(isSignedBy(later.admin, first.ca)).toBe(true);
  });

  test("are all made anew with their authority", async () => {
    const first = await load();
    await load(3_240);
    const later = await load(3_260);
    expect(later.ca.certificate).not.toBe(first.ca.certificate);
    for (const pair of [later.server, later.admin, later.kubeletClient, await later.node("n1", [])]) {
      expect(isSignedBy(pair, later.ca)).toBe(true);
    }
  });

  test("are made anew when they are another authority's", async () => {
    await load();
    const other = await createAuthority(envAt(startMs), "kubernetes");
    writeFileSync(path("ca.crt"), other.certificate);
    writeFileSync(path("ca.key"), other.key);
    const later = await load();
    expect(isSignedBy(later.server, other)).toBe(true);
  });

  test("are made anew for other addresses and names, and with a clock that was set back", async () => {
    const first = await load();
    const moved = await load(0, { ...NAMES, serverIps: ["127.0.0.1", "172.19.0.2"] });
    expect(new X509Certificate(moved.server.certificate).checkIP("172.19.0.2")).toBe("172.19.0.2");
    expect(moved.admin).toEqual(first.admin);
    const renamed = await load(1, { ...NAMES, serverNames: ["localhost", "kubernetes"] });
    expect(renamed.server.certificate).not.toBe(moved.server.certificate);
    const n1 = await (await load(50)).node("n1", []);
    expect((await (await load(20)).node("n1", [])).certificate).not.toBe(n1.certificate);
  });

  test("whose file or key was cut short are made anew", async () => {
    const first = await load();
    truncateSync(path("apiserver.crt"), 100);
    writeFileSync(path("admin.key"), readFileSync(path("apiserver.key")));
    const later = await load();
    for (const pair of [later.server, later.admin]) expect(isSignedBy(pair, first.ca)).toBe(true);
    expect(new X509Certificate(later.admin.certificate).subject).toContain("CN=kubernetes-admin");
  });

  test.each(["ca.crt", "ca.key", "sa.key"])("but a damaged %s is said, because others rely on it", async (name) => {
    await load();
    truncateSync(path(name), 60);
    await expect(load()).rejects.toThrow(/is damaged: put a copy back, or .*skiff delete/);
  });

  test("and so is an authority without its key", async () => {
    await load();
    rmSync(path("ca.key"));
    await expect(load()).rejects.toThrow(/is damaged: put a copy back, or .*skiff delete/);
  });
});
