/** What the `skiff` command says when something is wrong, without root, in the foreground, and about kubeconfigs. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireRoot } from "../src/lib/testCapabilities.ts";
import { type Finished, tryRun } from "./processes.ts";
import { createTestCluster, repository, skiffCommand, type TestCluster } from "./testCluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await createTestCluster();
});
afterEach(() => cluster.delete());

const SIMULATED = "--runtime simulated";

/** One sentence on standard error, and nothing like a stack trace. */
function expectSentence({ code, stderr }: Finished, want: RegExp): void {
  expect(code).toBe(1);
  const sentences = stderr.split("\n").filter((line) => line.startsWith("skiff: "));
  expect(sentences).toEqual([expect.stringMatching(want)]);
  expect(stderr).not.toMatch(/^\s+at |Error:/m);
}

async function busyPort(): Promise<Server & { port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(server, { port: (server.address() as { port: number }).port });
}

describe("one sentence and exit code 1 for", () => {
  test("a name that is none", async () => {
    const { stderr, code } = await tryRun([...skiffCommand, "up", "--name", "No Name"], { env: cluster.env });
    expectSentence({ stdout: "", stderr, code }, /"No Name" is not a cluster name/);
  });

  test("a name that another cluster has", async () => {
    await cluster.up(SIMULATED);
    expectSentence(await cluster.trySkiff("up --nodes 2"), /already a cluster "\w+", and it has 1 node/);
    expectSentence(
      await cluster.trySkiff("up --runtime oci"),
      /already a cluster "\w+", and its runtime is simulated|real containers are not possible here/,
    );
  });

  test("a port that is in use, for a new cluster and for one that was down", async () => {
    const busy = await busyPort();
    try {
      const want = new RegExp(`port ${busy.port} on 127\\.0\\.0\\.1 is in use by another program`);
      expectSentence(await cluster.trySkiff(`up ${SIMULATED} --port ${busy.port}`), want);
      await new Promise((resolve) => busy.close(resolve));
      await cluster.skiff(`up ${SIMULATED} --port ${busy.port}`);
      await cluster.skiff("down");
      await new Promise<void>((resolve) => busy.listen(busy.port, "127.0.0.1", resolve));
      expectSentence(await cluster.trySkiff("up"), want);
      await cluster.skiff(`up --port ${cluster.apiPort}`);
      expect(await cluster.kubectl("get namespaces default -o name")).toBe("namespace/default\n");
    } finally {
      busy.close();
    }
  });

  test("a runtime that there is not", async () => {
    expectSentence(await cluster.trySkiff("up --runtime docker"), /there is no runtime "docker"; there are: oci, /);
  });

  test("a damaged configuration, which delete removes", async () => {
    await cluster.up(SIMULATED);
    await cluster.skiff("down");
    writeFileSync(join(cluster.home, "data", cluster.name, "cluster.json"), "{");
    expectSentence(await cluster.trySkiff("up"), /the data directory \S+ is damaged: \S+cluster\.json cannot be read/);
    const list = await tryRun([...skiffCommand, "list"], { env: cluster.env });
    expect(list).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^${cluster.name} +Damaged$`, "m")),
    });
    await cluster.skiff("delete");
    expect(existsSync(join(cluster.home, "data"))).toBe(false);
  });

  test("a damaged store, which delete removes", async () => {
    await cluster.up(SIMULATED);
    await cluster.skiff("down");
    writeFileSync(join(cluster.home, "data", cluster.name, "store.sqlite"), "this is no database".repeat(1000));
    expectSentence(await cluster.trySkiff("up"), /store\.sqlite.*damaged|damaged.*store\.sqlite/);
    await cluster.skiff("delete");
    expect(existsSync(join(cluster.home, "data"))).toBe(false);
  });

  test.each(["status", "down", "kubeconfig", "image ls", "load archive nothing.tar", "logs"])(
    "%s of a cluster that there is not",
    async (words) => expectSentence(await cluster.trySkiff(words), new RegExp(`there is no cluster "${cluster.name}"`)),
  );

  test("what an image cannot be called, and files that it cannot have", async () => {
    await cluster.up(SIMULATED);
    const pack = async (...words: readonly string[]) => cluster.trySkiff(["image", "pack", ...words]);
    expectSentence(
      await pack("Not/A Name", "--program", "sh"),
      /couldn't parse image name "Not\/A Name": invalid reference/,
    );
    expectSentence(await pack("a:1", "--file", "/no/such/file"), /there is no file \/no\/such\/file/);
    expectSentence(await pack("a:1", "--file", "/etc:/etc"), /\/etc is not a file/);
    expectSentence(await pack("a:1", "--program", "nosuch"), /there is no program "nosuch"/);
    expectSentence(await pack("a:1"), /give at least one --program or --file/);
  });

  test("an archive that is none", async () => {
    await cluster.up(SIMULATED);
    const file = join(cluster.home, "image.tar");
    expectSentence(await cluster.trySkiff(`load archive ${file}`), /there is no file /);
    writeFileSync(file, "this is no archive");
    expectSentence(await cluster.trySkiff(`load archive ${file}`), /could not be loaded: /);
  });
});

test("a relative SKIFF_HOME is one of the folder in which it was typed", async () => {
  const at = { cwd: cluster.home, env: { ...cluster.env, SKIFF_HOME: "rel" } };
  const skiff = (...words: string[]) => tryRun([...skiffCommand, ...words, "--name", cluster.name], at);
  expect(await skiff("up", "--runtime", "simulated", "--port", `${cluster.apiPort}`)).toMatchObject({ code: 0 });
  expect(existsSync(join(cluster.home, "rel/data", cluster.name))).toBe(true);
  expect(await skiff("delete")).toMatchObject({ code: 0 });
});

describe("tools that are missing", () => {
  /** Nothing but what lies in the system directories, which are always looked at. */
  const withoutTools = () => {
    const empty = join(cluster.home, "empty");
    mkdirSync(empty);
    return { env: { ...cluster.env, PATH: empty } };
  };

  test("are named with the command that installs them, when real containers were asked for", async () => {
    const finished = await cluster.trySkiff("up --runtime oci", withoutTools());
    expectSentence(finished, /real containers are not possible here: conmon, .*missing; .*apt-get install -y conmon/);
  });

  test("otherwise make the containers simulated, and a warning says so", async () => {
    const { code, stderr } = await cluster.trySkiff(`up --port ${cluster.apiPort}`, withoutTools());
    expect(code).toBe(0);
    const warnings = stderr.split("\n").filter((line) => line.includes("containers are simulated"));
    expect(warnings).toEqual([expect.stringMatching(/conmon, .*missing; .*apt-get install -y conmon/)]);
    expect(await cluster.skiff("status")).toMatch(/runtime: +simulated/);
  });

  test("doctor lists what there is and what is missing", async () => {
    const finished = await tryRun([...skiffCommand, "doctor"], withoutTools());
    expect(finished.stdout).toMatch(/conmon.*apt-get install -y conmon/);
    expect(finished.code).toBe(1);
  });
});

describe("in the foreground", () => {
  test("Ctrl-C is down: nothing runs any more, and the data is kept", async () => {
    const words = ["up", "--foreground", "--runtime", "simulated", "--port", `${cluster.apiPort}`];
    const running = cluster.start([...skiffCommand, ...words, "--name", cluster.name]);
    await running.untilOutput(/export KUBECONFIG=(\S+)/);
    await cluster.kubectl("create configmap kept --from-literal=a=b");
    const { code } = await running.stop("SIGINT");
    expect(code).toBe(0);
    expect(existsSync(join(cluster.home, "run"))).toBe(false);
    await cluster.skiff("up");
    expect((await cluster.get("configmap kept")).data).toEqual({ a: "b" });
  });
});

describe("kubeconfig", () => {
  test("is printed, merged into one's own as the current context, and taken out again by delete", async () => {
    await cluster.up(SIMULATED);
    const own = join(cluster.home, "own");
    const other = { name: "other", context: { cluster: "other", user: "other" } };
    writeFileSync(
      own,
      JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": "other", contexts: [other] }),
    );
    const env = { KUBECONFIG: own };
    expect(await cluster.skiff("kubeconfig")).toBe(readFileSync(cluster.kubeconfig, "utf8"));
    expect((await cluster.trySkiff("kubeconfig --merge", { env })).code).toBe(0);
    expect(await cluster.kubectl("config current-context", { env })).toBe(`skiff-${cluster.name}\n`);
    expect(await cluster.kubectl("get namespaces default -o name", { env })).toBe("namespace/default\n");
    expect((await cluster.trySkiff("delete", { env })).code).toBe(0);
    expect(await cluster.kubectl("config get-contexts -o name", { env })).toBe("other\n");
  });
});

describe("a kubeconfig of the user's own that is of no use does not keep delete from its work, which says so once:", () => {
  const cases = [
    { name: "one that is no YAML", make: (path: string) => writeFileSync(path, `skiff-${cluster.name}: {`) },
    { name: "a folder", make: (path: string) => mkdirSync(path) },
    { name: "none of ours in what is no YAML", make: (path: string) => writeFileSync(path, "a: ["), isSilent: true },
  ];
  test.each(cases)("$name", async ({ make, isSilent = false }) => {
    await cluster.up(SIMULATED);
    const own = join(cluster.home, "own");
    make(own);
    const { code, stderr } = await cluster.trySkiff("delete", { env: { KUBECONFIG: own } });
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/^\s+at |Error:/m);
    const warnings = stderr
      .split("\n")
      .filter((line) => line.includes(`may still have the context skiff-${cluster.name}`));
    expect(warnings).toHaveLength(isSilent ? 0 : 1);
    expect(existsSync(join(cluster.home, "data")) || existsSync(join(cluster.home, "run"))).toBe(false);
  });
});

/**
 * A user who is nobody sees this repository at a path that everybody may read, in a mount namespace of the test's own:
 * where it really lies may be closed to others.
 */
describe.runIf(requireRoot())("without root", () => {
  const NOBODY = "65534";
  const asNobody = (home: string, command: readonly string[]): string[] => {
    const seen = join(home, "repository");
    const script = `mount --bind '${repository}' '${seen}' && exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups -- "$@"`;
    return ["unshare", "--mount", "sh", "-c", script, "sh", ...command];
  };
  let home = "";
  afterAll(() => expect(home === "" || !existsSync(home)).toBe(true));

  test("a cluster comes up with simulated containers, says so once with the remedy, and works", async () => {
    home = cluster.home;
    mkdirSync(join(home, "repository"));
    execFileSync("chown", [NOBODY, home]);
    const inside = (path: string) => join(home, "repository", relative(repository, path));
    const node = process.execPath.startsWith(repository) ? inside(process.execPath) : process.execPath;
    const skiff = (...words: string[]) =>
      tryRun(asNobody(home, [node, inside(skiffCommand[1] as string), ...words, "--name", cluster.name]), {
        env: cluster.env,
      });
    const up = await skiff("up", "--port", `${cluster.apiPort}`);
    expect(up).toMatchObject({ code: 0 });
    const warnings = `${up.stdout}${up.stderr}`.split("\n").filter((line) => line.includes("containers are simulated"));
    expect(warnings).toEqual([expect.stringMatching(/real containers need root/)]);
    await cluster.kubectl("create deployment web --image=web:1 --replicas=3");
    await cluster.kubectl("rollout status deployment/web --timeout=60s");
    expect(await cluster.kubectl("get pods")).toMatch(/^NAME .*\n(web-\S+ +1\/1 +Running +0 .*\n){3}$/);
    expect((await skiff("status")).stdout).toMatch(/runtime: +simulated/);
    expect(await skiff("up", "--runtime", "oci")).toMatchObject({ code: 1 });
    expect(await skiff("down")).toMatchObject({ code: 0 });
    expect(await skiff("up")).toMatchObject({ code: 0 });
    expect(await cluster.kubectl("get deployment web -o name")).toBe("deployment.apps/web\n");
    expect(await skiff("delete")).toMatchObject({ code: 0 });
    expect(existsSync(join(home, "data")) || existsSync(join(home, "run"))).toBe(false);
  });
});
