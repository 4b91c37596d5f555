/** The rules of the house that a machine can check: import direction, banned calls, sizes, and complete lists. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const source = import.meta.dirname;

const walk = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return entry.name === "generated" ? [] : walk(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });

const files = walk(source).map((path) => ({ path: relative(source, path), text: readFileSync(path, "utf8") }));
const isTest = (path: string) => /(\.test|Suite)\.ts$/.test(path) || path.includes("test");
const layerOf = (path: string) => path.split("/")[0] as string;

/** What each folder may import beside itself. Source: DESIGN, "Folders are layers". */
const MAY_IMPORT: Record<string, readonly string[]> = {
  lib: [],
  machinery: ["lib"],
  api: ["lib", "machinery"],
  storage: ["lib"],
  pki: ["lib", "machinery"],
  streams: ["lib", "machinery"],
  client: ["lib", "machinery", "api"],
  apiserver: ["lib", "machinery", "storage", "api", "pki", "streams"],
  controllers: ["lib", "machinery", "api", "client"],
  scheduler: ["lib", "machinery", "api", "client"],
  kubelet: ["lib", "machinery", "api", "client", "streams"],
  proxy: ["lib", "machinery", "api", "client"],
  dns: ["lib", "machinery", "api", "client"],
  cluster: [
    "lib",
    "machinery",
    "api",
    "storage",
    "pki",
    "streams",
    "client",
    "apiserver",
    "controllers",
    "scheduler",
    "kubelet",
    "proxy",
    "dns",
  ],
};

/** Where real clocks, sockets, files and processes may be made. */
const REAL_WORLD = [
  /^cluster\//,
  /^lib\/virtualClock\.ts$/,
  /^storage\/(engines|crash)\//,
  /^client\/transports\//,
  /^apiserver\/http\//,
  /^kubelet\/(runtimes|images|volumes|nodeEnvironment)\//,
  /^proxy\/(backends|network)\//,
  /^proxy\/hostPorts\.ts$/,
  /^dns\/server\.ts$/,
];

const BANNED =
  /\b(Date\.now\(|performance\.now\(|Math\.random\(|randomUUID\(|randomBytes\(|getRandomValues\(|setTimeout\(|setInterval\(|setImmediate\(|AbortSignal\.timeout\()|new Date\(\)|["']node:timers\/promises["']/;

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");

/** What a file imports of ours, also when it runs, from the source folder on. */
const importsOf = ({ path, text }: { path: string; text: string }): string[] =>
  [...text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)].map((match) =>
    relative(source, resolve(source, dirname(path), match[1] as string)),
  );

describe("the source tree", () => {
  test("no files import each other in a circle", () => {
    const imports = new Map(files.map((file) => [file.path, importsOf(file)]));
    const reaches = (from: string, to: string) => {
      const seen = new Set<string>();
      const waiting = [...(imports.get(from) ?? [])];
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
        if (path === to) return true;
        if (seen.has(path)) continue;
        seen.add(path);
        waiting.push(...(imports.get(path) ?? []));
      }
      return false;
    };
    const inCircles = [...imports.keys()].filter((path) => reaches(path, path));
    // Maps hold lists, and lists hold maps.
    expect(inCircles).toEqual(["machinery/patch/strategicLists.ts", "machinery/patch/strategicMergePatch.ts"]);
  });

  test("imports point down the layers, never sideways or up", () => {
    const wrong = files.flatMap((file) => {
      const { path } = file;
      if (isTest(path)) return [];
      const allowed = MAY_IMPORT[layerOf(path)];
      return importsOf(file)
        .filter((target) => !target.startsWith(".."))
        .filter((target) => layerOf(target) !== layerOf(path) && allowed?.includes(layerOf(target)) === false)
        .map((target) => `${path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test("every folder is a known layer", () => {
    expect(
      files.map(({ path }) => path).filter((path) => path.includes("/") && MAY_IMPORT[layerOf(path)] === undefined),
    ).toEqual([]);
  });

  test("clocks, randomness and timers are injected outside the few folders that make them", () => {
    const wrong = files
      .filter(({ path }) => !isTest(path) && !REAL_WORLD.some((pattern) => pattern.test(path)))
      .flatMap(({ path, text }) => {
        const match = BANNED.exec(withoutComments(text));
        return match === null ? [] : [`${path}: ${match[0]}`];
      });
    expect(wrong).toEqual([]);
  });

  test("no name says nothing", () => {
    expect(
      files.map(({ path }) => path).filter((path) => /(^|\/)(utils?|helpers?|common|misc|manager)(\.|\/)/i.test(path)),
    ).toEqual([]);
  });

  /** A ratchet: it may go down, never up. */
  const FILE_LINES_MAX = 420;
  test("no source file outgrows one sitting", () => {
    const long = files
      .filter(({ path }) => !isTest(path))
      .map(({ path, text }) => ({ path, lines: text.split("\n").length }))
      .filter(({ lines }) => lines > FILE_LINES_MAX);
    expect(long).toEqual([]);
  });
});

/** Folders whose files each stand in a visible list: what makes a file one of those is a text in it. */
const LISTED: readonly { folder: string; list: string; mark: RegExp }[] = [
  { folder: "api", list: "api/index.ts", mark: /= defineKind/ },
  { folder: "controllers", list: "controllers/index.ts", mark: /\): RunningController\b/ },
  { folder: "scheduler/plugins", list: "scheduler/plugins/index.ts", mark: /: SchedulerPlugin/ },
  { folder: "kubelet/volumes", list: "kubelet/volumes/index.ts", mark: /: VolumeSource\b.*=/ },
  {
    folder: "apiserver/admission",
    list: "apiserver/admission/defaultAdmission.ts",
    mark: /: AdmissionPluginFactory =/,
  },
  { folder: "cluster/commands", list: "cluster/commands/index.ts", mark: /: SkiffCommand =/ },
];

describe("visible lists", () => {
  for (const { folder, list, mark } of LISTED) {
    test(`everything that ${folder}/ defines stands in ${list}`, () => {
      const text = readFileSync(join(source, list), "utf8");
      const defining = files.filter(
        ({ path, text: content }) =>
          path.startsWith(`${folder}/`) && path !== list && !isTest(path) && mark.test(content),
      );
      expect(defining.length).toBeGreaterThan(0);
      const missing = defining
        .filter(({ path }) => !text.includes(`"./${relative(dirname(list), path)}"`))
        .map(({ path }) => path);
      expect(missing).toEqual([]);
    });
  }
});
