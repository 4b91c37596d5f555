/** Volumes and files, each against files in memory and on a disk. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ConfigMap, Secret, Volume } from "../../api/generated/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import type { Files } from "../files.ts";
import { testPod } from "../podLifecycle/testPods.ts";
import { writeAtomically } from "./atomicWriter.ts";
import { containerMounts } from "./containerMounts.ts";
import { diskFiles } from "./diskFiles.ts";
import { createMemoryFiles } from "./memoryFiles.ts";
import { setUpVolumes, tearDownVolumes } from "./podVolumes.ts";

const disk = mkdtempSync(join(tmpdir(), "kubelet-volumes-"));
afterAll(() => rmSync(disk, { recursive: true }));

const clock = new VirtualClock();
const env = { clock, random: seededRandom("volumes"), log: silentLog };
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
const meta = (name: string) => ({ name, namespace: "default", uid: "", creationTimestamp: "", resourceVersion: "" });

const KINDS: readonly { readonly kind: string; readonly files: Files; readonly root: string }[] = [
  { kind: "memory", files: createMemoryFiles(), root: "/var/test" },
  { kind: "disk", files: diskFiles, root: disk },
];

describe.each(KINDS)("on files in $kind", ({ files, root }) => {
  const set = (entries: Record<string, string>) =>
    new Map(Object.entries(entries).map(([path, data]) => [path, { data, mode: 0o644 }]));

  test("files are written, read in parts, listed, renamed and removed", async () => {
    const folder = `${root}/plain`;
    await files.makeDirectory(`${folder}/a/b`);
    await files.write(`${folder}/a/file`, "hello", { mode: 0o600 });
    await files.append(`${folder}/a/file`, " world");
    expect(text(await files.read(`${folder}/a/file`))).toBe("hello world");
    expect(text(await files.readAt(`${folder}/a/file`, 6, 3))).toBe("wor");
    expect(text(await files.readAt(`${folder}/a/file`, 99, 3))).toBe("");
    expect(await files.readAt(`${folder}/none`, 0, 3)).toBeUndefined();
    expect(await files.stat(`${folder}/a/file`)).toMatchObject({ type: "file", sizeBytes: 11, mode: 0o600 });
    const { inode } = (await files.stat(`${folder}/a/file`)) ?? {};
    await files.rename(`${folder}/a/file`, `${folder}/a/moved`);
    expect((await files.stat(`${folder}/a/moved`))?.inode).toBe(inode);
    expect(await files.list(`${folder}/a`)).toEqual(["b", "moved"]);
    await files.remove(`${folder}/a`);
    expect([await files.stat(`${folder}/a/moved`), await files.list(`${folder}/a`)]).toEqual([undefined, []]);
  });

  test("a set of files is replaced as a whole", async () => {
    const folder = `${root}/atomic`;
    const write = (entries: Record<string, string>) => writeAtomically({ env, files }, folder, set(entries));
    expect(await write({ a: "1", "sub/b": "2" })).toBe(true);
    const first = await files.readLink(`${folder}/..data`);
    expect(text(await files.read(`${folder}/a`))).toBe("1");
    expect(text(await files.read(`${folder}/sub/b`))).toBe("2");
    expect(await files.readLink(`${folder}/a`)).toBe("..data/a");
    expect(await write({ a: "1", "sub/b": "2" })).toBe(false);
    expect(await write({ a: "9", c: "3" })).toBe(true);
    expect(await files.readLink(`${folder}/..data`)).not.toBe(first);
    expect((await files.list(folder)).filter((name) => !name.startsWith(".."))).toEqual(["a", "c"]);
    expect((await files.list(folder)).filter((name) => name.startsWith(".."))).toHaveLength(2);
    expect(text(await files.read(`${folder}/a`))).toBe("9");
  });

  const volumes: readonly Volume[] = [
    { name: "cache", emptyDir: {} },
    { name: "config", configMap: { name: "cm", items: [{ key: "mode", path: "deep/mode.txt", mode: 0o600 }] } },
    { name: "me", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
    {
      name: "all",
      projected: {
        sources: [
          { configMap: { name: "cm" } },
          { secret: { name: "s", items: [{ key: "key", path: "pass" }] } },
          { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
        ],
      },
    },
  ];
  const pod = testPod({ volumes }, { labels: { app: "web" }, uid: `u-${root}` });
  const folders = { disk: `${root}/pods/u1`, memory: `${root}/memory/u1` };
  const renewals: number[] = [];
  let tokens = 0;
  const context = {
    env,
    files,
    client: {
      raw: async () => ({
        status: { token: `token-${++tokens}`, expirationTimestamp: new Date(clock.now() + 3_600_000).toISOString() },
      }),
    } as unknown as Client,
    references: {
      configMap: async (_: string, __: string, name: string) =>
        name === "cm" ? ({ metadata: meta("cm"), data: { mode: "fast" } } as unknown as ConfigMap) : undefined,
      secret: async () => ({ metadata: meta("s"), data: { key: "cGFzcw==" } }) as unknown as Secret,
      release: () => undefined,
      stop: async () => undefined,
    },
    pod,
    facts: { pod, podIps: [], hostIps: [], nodeName: "n1" },
    allocatable: {},
    nodeMemoryBytes: 2 ** 30,
    renewAt: (atMs: number) => renewals.push(atMs),
  };

  test("a pod's volumes are set up, kept up to date, and taken away", async () => {
    const mounted = await setUpVolumes(context, folders, pod);
    const read = async (volume: string, path: string) =>
      text(await files.read(`${mounted.get(volume)?.hostPath}/${path}`));
    expect(await read("config", "deep/mode.txt")).toBe("fast");
    expect(await read("me", "labels")).toBe('app="web"');
    expect([await read("all", "mode"), await read("all", "pass"), await read("all", "token")]).toEqual([
      "fast",
      "pass",
      "token-1",
    ]);
    expect(mounted.get("all")?.hostPath).toContain("/memory/");
    expect(renewals.at(-1)).toBe(clock.now() + 0.8 * 3_600_000);
    await clock.advance(3_000_000);
    await setUpVolumes(context, folders, pod);
    expect(await read("all", "token")).toBe("token-2");
    await tearDownVolumes(files, folders);
    expect([await files.stat(`${folders.disk}/volumes`), await files.stat(`${folders.memory}/volumes`)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test.each([
    [{ name: "x", configMap: { name: "none" } }, 'configmap "none" not found'],
    [
      { name: "x", configMap: { name: "cm", items: [{ key: "k", path: "k" }] } },
      "configmap references non-existent config key: k",
    ],
    [
      { name: "x", hostPath: { path: "/no/such/file", type: "File" } },
      "hostPath type check failed: /no/such/file is not a file",
    ],
    [{ name: "x", nfs: { server: "s", path: "/" } }, "no volume plugin matched"],
  ])("%j cannot be set up: %s", async (volume, message) => {
    const failing = testPod({ volumes: [volume] });
    await expect(setUpVolumes(context, folders, failing)).rejects.toThrow(message);
  });

  test.each([0o777, 0o700])("a part that is made is open to whom a volume of mode %o is open", async (mode) => {
    const volume = `${root}/made-${mode}`;
    await files.makeDirectory(volume, { mode });
    const mounted = new Map([["data", { hostPath: volume, readOnly: false }]]);
    const container = { name: "a", volumeMounts: [{ name: "data", mountPath: "/data", subPath: "deep/part" }] };
    const [made] = await containerMounts(files, mounted, pod, container, []);
    expect((await files.stat(made?.hostPath ?? ""))?.mode).toBe(mode);
  });

  test.each([
    { name: "anybody may read it when the containers run as several users", users: [1000, 2000], mode: 0o644 },
    { name: "and when one says nothing", users: [1000, undefined], mode: 0o644 },
    { name: "only the user that all run as", users: [process.getuid?.(), process.getuid?.()], mode: 0o600 },
  ])("a token in a volume: $name", async ({ users, mode }) => {
    const containers = users.map((runAsUser, index) => ({
      name: `c${index}`,
      ...(runAsUser !== undefined && { securityContext: { runAsUser } }),
    }));
    const tokens: Volume = { name: "t", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } };
    const given = testPod({ volumes: [tokens], containers }, { uid: `t-${root}-${users}` });
    const mounted = await setUpVolumes({ ...context, pod: given }, folders, given);
    const target = await files.resolve(`${mounted.get("t")?.hostPath}/token`);
    expect((await files.stat(target ?? ""))?.mode).toBe(mode);
    await tearDownVolumes(files, folders);
  });

  test("parts of a volume are mounted, and nothing outside of it", async () => {
    const volume = `${root}/parts`;
    await files.makeDirectory(`${volume}/inside`);
    await files.symlink("/etc", `${volume}/out`);
    const mounted = new Map([["data", { hostPath: volume, readOnly: false }]]);
    const mount = (more: object) => {
      const container = { name: "a", volumeMounts: [{ name: "data", mountPath: "/data", ...more }] };
      return containerMounts(files, mounted, pod, container, [{ name: "WHO", value: "me" }]);
    };
    const real = (await files.resolve(volume)) ?? volume;
    expect((await mount({ subPath: "inside" }))[0]?.hostPath).toBe(`${real}/inside`);
    expect((await mount({ subPathExpr: "for-$(WHO)" }))[0]?.hostPath).toBe(`${real}/for-me`);
    expect((await mount({ readOnly: true }))[0]?.readOnly).toBe(true);
    await expect(mount({ subPath: "../x" })).rejects.toThrow("must not contain '..'");
    await expect(mount({ subPathExpr: "$(NONE)" })).rejects.toThrow('missing value for "NONE"');
    await files.makeDirectory("/etc");
    await expect(mount({ subPath: "out" })).rejects.toThrow("leads out of the volume");
  });
});

test("fsGroup gives a volume to a group", async () => {
  const isRoot = process.getuid?.() === 0;
  const pod = testPod({
    volumes: [{ name: "cache", emptyDir: {} }],
    securityContext: { fsGroup: isRoot ? 4321 : (process.getgid?.() ?? 0) },
  });
  const context = {
    env,
    files: diskFiles,
    pod,
    facts: { pod, podIps: [], hostIps: [], nodeName: "" },
    allocatable: {},
    nodeMemoryBytes: 1,
    renewAt: () => undefined,
  };
  const mounted = await setUpVolumes(
    context as never,
    { disk: join(disk, "group"), memory: join(disk, "memory") },
    pod,
  );
  const stat = statSync(mounted.get("cache")?.hostPath ?? "");
  expect([stat.gid, stat.mode & 0o7777]).toEqual([isRoot ? 4321 : process.getgid?.(), 0o2777]);
});
