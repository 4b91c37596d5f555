import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkClusterName, nodeNames, readClusterConfig, writeClusterConfig } from "./clusterConfig.ts";
import { SYSTEM_COMMANDS } from "./doctor.ts";
import { kubeconfigFor, mergeKubeconfig, removeFromKubeconfig } from "./kubeconfig.ts";
import { load } from "./kubeconfigFile.ts";
import { baseDirectories, checkSocketPaths, clusterPaths } from "./paths.ts";
import { isAlive, readProcessRecord, removeProcessRecord, startTicksOf, writeProcessRecord } from "./processRecord.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skiff-files-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("names", () => {
  test("nodes are named as kind names them", () => {
    expect(nodeNames("dev", 4)).toEqual(["dev-control-plane", "dev-worker", "dev-worker2", "dev-worker3"]);
  });
  for (const name of ["", "Dev", "-a", "a-", "a b", "a/b", "..", "x".repeat(41)]) {
    test(`"${name}" is no cluster name`, () => expect(() => checkClusterName(name)).toThrow("is not a cluster name"));
  }
  for (const name of ["a", "dev", "my-cluster-2"]) test(`"${name}" is a cluster name`, () => checkClusterName(name));
});

describe("directories", () => {
  const cases: { name: string; environment: NodeJS.ProcessEnv; uid: number; want: object }[] = [
    { name: "of root", environment: {}, uid: 0, want: { data: "/var/lib/skiff", run: "/run/skiff" } },
    {
      name: "moved by SKIFF_HOME",
      environment: { SKIFF_HOME: "/h" },
      uid: 0,
      want: { data: "/h/data", run: "/h/run" },
    },
    {
      name: "of a user, however that one logged in",
      environment: {
        XDG_DATA_HOME: "/home/u/.share",
        XDG_STATE_HOME: "/home/u/.state",
        XDG_RUNTIME_DIR: "/run/user/7",
      },
      uid: 7,
      want: { data: "/home/u/.share/skiff", run: "/home/u/.state/skiff" },
    },
    {
      name: "of a user who moved nothing",
      environment: { XDG_DATA_HOME: "" },
      uid: 7,
      want: { data: join(homedir(), ".local/share/skiff"), run: join(homedir(), ".local/state/skiff") },
    },
  ];
  for (const { name, environment, uid, want } of cases) {
    test(name, () => expect(baseDirectories(environment, uid)).toEqual(want));
  }
  const base = (run: string) => ({ data: "/d", run });
  test("of root have room for the sockets of the longest names", () => {
    checkSocketPaths("x".repeat(40), base("/run/skiff"));
  });
  test("that are too long for sockets are refused with the remedy", () => {
    const long = `/${"h".repeat(80)}`;
    checkSocketPaths("dev", base(long));
    expect(() => checkSocketPaths("development", base(long))).toThrow(
      /h is too long a path for the sockets of a cluster "development", by 5 characters: use a shorter name, or .*SKIFF_HOME/,
    );
  });
});

describe("a cluster's configuration", () => {
  const paths = () => clusterPaths("c", { data: directory, run: directory });
  test("comes back as it was written", () => {
    const config = { version: 1, name: "c", nodes: ["c-control-plane"], runtime: "simulated", apiPort: 1 } as never;
    writeClusterConfig(paths(), config);
    expect(readClusterConfig(paths())).toEqual(config);
  });
  test("that is damaged is one sentence with the remedy", () => {
    writeClusterConfig(paths(), { version: 1 } as never);
    writeFileSync(paths().config, "{");
    expect(() => readClusterConfig(paths())).toThrow(/is damaged: .* skiff delete --name \S+ removes it/);
  });
  test("that is not there is undefined", () => expect(readClusterConfig(paths())).toBeUndefined());
});

describe("kubeconfigs", () => {
  const access = (cluster: string) =>
    kubeconfigFor({
      cluster,
      server: "https://127.0.0.1:1",
      caCertificate: "CA",
      client: { certificate: "C", key: "K" },
    });
  const names = (path: string) => {
    const { clusters, users, contexts, "current-context": current } = parse(readFileSync(path, "utf8"));
    return [clusters, users, contexts]
      .map((list: { name: string }[]) => list.map(({ name }) => name))
      .concat([current]);
  };

  test("are merged into the user's, which keeps what it had", () => {
    const path = join(directory, "sub", "config");
    mergeKubeconfig(path, access("a"));
    mergeKubeconfig(path, access("b"));
    mergeKubeconfig(path, access("a"));
    expect(names(path)).toEqual([["skiff-b", "skiff-a"], ["skiff-b", "skiff-a"], ["skiff-b", "skiff-a"], "skiff-a"]);
  });
  test("are taken out again, and others stay", () => {
    const path = join(directory, "config");
    mergeKubeconfig(path, access("a"));
    mergeKubeconfig(path, access("b"));
    removeFromKubeconfig(path, "b");
    expect(names(path)).toEqual([["skiff-a"], ["skiff-a"], ["skiff-a"], ""]);
  });
  for (const text of [
    "a: [",
    "just text",
    "- a",
    "clusters: {}",
    "users: [null]",
    "contexts: [{}]",
    "a: 1\n---\nb: 2",
  ]) {
    test(`a file that is none is left alone: ${JSON.stringify(text)}`, () => {
      const path = join(directory, "config");
      writeFileSync(path, text);
      expect(() => mergeKubeconfig(path, access("a"))).toThrow("nothing was changed");
      expect(() => removeFromKubeconfig(path, "a")).toThrow("nothing was changed");
      expect(readFileSync(path, "utf8")).toBe(text);
    });
  }
  for (const text of ["", "# nothing\n", "clusters: null\nusers:\ncontexts: []\n"]) {
    test(`a file with nothing in it is filled: ${JSON.stringify(text)}`, () => {
      const path = join(directory, "config");
      writeFileSync(path, text);
      removeFromKubeconfig(path, "a");
      mergeKubeconfig(path, access("a"));
      expect(names(path)).toEqual([["skiff-a"], ["skiff-a"], ["skiff-a"], "skiff-a"]);
    });
  }
  test("a link stays a link, and leads to the merged file", () => {
    const [path, link] = [join(directory, "elsewhere"), join(directory, "config")];
    writeFileSync(path, "");
    symlinkSync("elsewhere", link);
    mergeKubeconfig(link, access("a"));
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(names(path).at(-1)).toBe("skiff-a");
  });
  test("what kubectl would take for something else than text stays quoted", () => {
    const path = join(directory, "config");
    writeFileSync(path, 'users: [{name: "no", user: {token: "0777"}}]\nextensions: 2020-01-01\n');
    mergeKubeconfig(path, access("a"));
    expect(readFileSync(path, "utf8")).toMatch(/name: "no"\n.*\n\s+token: "0777"\n/);
  });
  test("one without a usable context says so", () => {
    const path = join(directory, "config");
    writeFileSync(path, "clusters: []\nusers: []\ncontexts: []\ncurrent-context: x\n");
    expect(() => load(path)).toThrow("no usable current context");
    writeFileSync(path, "");
    expect(() => load(path)).toThrow("no usable current context");
  });
});

describe("a process record", () => {
  test("finds this process, and not another one with its number", () => {
    const path = join(directory, "process.json");
    writeProcessRecord(path, process.pid);
    expect(readProcessRecord(path)?.pid).toBe(process.pid);
    removeProcessRecord(path, process.ppid);
    expect(readProcessRecord(path)?.pid).toBe(process.pid);
    expect(isAlive({ pid: process.pid, startTicks: "1" })).toBe(false);
  });
  test("of a process that never was finds nothing", () => {
    expect(startTicksOf(2 ** 22 + 1)).toBeUndefined();
    expect(readProcessRecord(join(directory, "none.json"))).toBeUndefined();
  });
});

test("the launcher installs what the doctor asks for", async () => {
  const setup = readFileSync(join(import.meta.dirname, "../../bin/systemPackages.cjs"), "utf8");
  const block = /const SYSTEM_COMMANDS = (\{[^}]*\})/.exec(setup)?.[1] ?? "{}";
  const installed = Object.fromEntries([...block.matchAll(/(\w+): "([^"]+)"/g)].map((match) => [match[1], match[2]]));
  expect(installed).toEqual(SYSTEM_COMMANDS);
});
