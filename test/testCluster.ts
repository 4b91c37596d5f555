/**
 * A cluster of a test file's own, with real containers, in a home of its own: made by the `skiff` command, driven by a
 * real kubectl, and deleted at the end, with everything that was started in the background for it.
 */
import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { canRun } from "../src/lib/testCapabilities.ts";
import { clientPath } from "./clients.ts";
import { identify, networkFile, tracesOf } from "./machineTraces.ts";
import { type Finished, type Running, run, type StartOptions, start, tryRun } from "./processes.ts";

/** One string is split at blanks; an array is taken as it is. */
export type Words = string | readonly string[];

export interface TestCluster {
  readonly name: string;
  /** Its SKIFF_HOME, and the HOME of its kubectl. Short, because the paths of Unix sockets must be. */
  readonly home: string;
  readonly kubeconfig: string;
  /** The first node's name. */
  readonly node: string;
  /** For programs that find the cluster by their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Below the ports that the kernel hands out, and other in each cluster: files start theirs at the same time. */
  readonly apiPort: number;
  readonly up: (words?: Words) => Promise<string>;
  readonly skiff: (words: Words) => Promise<string>;
  readonly trySkiff: (words: Words, options?: StartOptions) => Promise<Finished>;
  /** @returns standard output @throws Error when kubectl fails */
  readonly kubectl: (words: Words, options?: StartOptions) => Promise<string>;
  readonly tryKubectl: (words: Words, options?: StartOptions) => Promise<Finished>;
  /** In the background; stopped with the cluster at the latest. */
  readonly startKubectl: (words: Words, options?: StartOptions) => Running;
  readonly start: (command: readonly string[], options?: StartOptions) => Running;
  readonly apply: (manifest: string) => Promise<string>;
  /** The object as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what kubectl prints has no type here, and tests read deep into it.
  readonly get: (words: Words) => Promise<any>;
  /** Runs a command in a node's namespaces. */
  readonly inNode: (command: readonly string[], node?: string) => Promise<string>;
  /** Makes the image `tools:1`: a shell, Node.js, `/app.ts` and `/connectionLoad.ts`. */
  readonly packTools: () => Promise<void>;
  /** @throws Error when something of it is left */
  readonly delete: () => Promise<void>;
}

/** Real containers need these. */
export const canRunContainers = (): boolean =>
  canRun({ root: true, programs: ["conmon", "crun", "nft", "ip", "conntrack", "nsenter", "script", "stty"] });

export const repository = join(import.meta.dirname, "..");
export const skiffCommand: readonly string[] = [process.execPath, join(repository, "bin/skiff.cjs")];

/** Every Debian has them; with Node.js they are all that the tests' containers run. */
const TOOLS = ["sh", "sleep", "cat", "tar", "ls", "head", "wc", "stty", "id", "env", "mkdir", "rm", "mount"];

const wordsOf = (words: Words): readonly string[] => (typeof words === "string" ? words.split(" ") : words);

/** Makes the home; what is in it comes with `up`. */
export async function createTestCluster(): Promise<TestCluster> {
  const name = `sk${randomBytes(3).toString("hex")}`;
  const home = `/tmp/${name}`;
  mkdirSync(home);
  const kubectlPath = await clientPath("kubectl");
  const kubeconfig = join(home, "data", name, "kubeconfig");
  const env = { SKIFF_HOME: home, SKIFF_FROM_SOURCE: "1", HOME: home, KUBECONFIG: kubeconfig, NO_COLOR: "1" };
  const skiffWords = (words: Words) => [...skiffCommand, ...wordsOf(words), "--name", name];
  const kubectlWords = (words: Words) => [kubectlPath, ...wordsOf(words)];
  const withEnv = (options?: StartOptions): StartOptions => ({ ...options, env: { ...env, ...options?.env } });
  const background = new Set<Running>();
  const startHere = (command: readonly string[], options?: StartOptions) => {
    const running = start(command, withEnv(options));
    background.add(running);
    return running;
  };
  const kubectl = (words: Words, options?: StartOptions) => run(kubectlWords(words), withEnv(options));
  const skiff = (words: Words) => run(skiffWords(words), withEnv());
  const node = `${name}-control-plane`;
  const apiPort = randomInt(20_000, 30_000);
  return {
    name,
    home,
    kubeconfig,
    node,
    env,
    apiPort,
    up: (words = []) => skiff(["up", "--port", `${apiPort}`, ...wordsOf(words)]),
    skiff,
    trySkiff: (words, options) => tryRun(skiffWords(words), withEnv(options)),
    kubectl,
    tryKubectl: (words, options) => tryRun(kubectlWords(words), withEnv(options)),
    startKubectl: (words, options) => startHere(kubectlWords(words), options),
    start: startHere,
    apply: (manifest) => kubectl("apply -f -", { input: manifest }),
    get: async (words) => JSON.parse(await kubectl(["get", "-o", "json", ...wordsOf(words)])),
    inNode: (command, inside = node) =>
      run(["nsenter", `--net=${join(home, "run", name, "nodes", inside, "net")}`, ...command]),
    packTools: async () => {
      const programs = [...TOOLS, process.execPath].flatMap((program) => ["--program", program]);
      const files = ["sample/app.ts", "test/connectionLoad.ts"].flatMap((file) => ["--file", join(repository, file)]);
      await skiff(["image", "pack", "tools:1", ...programs, ...files]);
    },
    delete: async () => {
      await Promise.all([...background].map((running) => running.stop("SIGKILL").catch(() => undefined)));
      const identity = existsSync(networkFile(home, name)) ? await identify({ name, home }) : { name, home };
      await skiff("delete");
      const traces = await tracesOf(identity);
      rmSync(home, { recursive: true, force: true });
      if (Object.values(traces).flat().length > 0)
        throw new Error(`the deleted cluster has left ${JSON.stringify(traces, null, 2)}`);
    },
  };
}
