/** exec, attach, port-forward, cp and logs -f, by each way in which some kubectl talks to a cluster. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run, type StartOptions } from "./processes.ts";
import { streamClients } from "./streamClients.ts";
import { canRunContainers, createTestCluster, type TestCluster } from "./testCluster.ts";

const PODS = `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: web, image: 'tools:1', command: [node, /app.ts], env: [{name: VERSION, value: "7"}], ports: [{name: http, containerPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: box, image: 'tools:1', command: [sh, -c, "sleep 10000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: echo}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: echo, image: 'tools:1', command: [sh, -c, 'while read line; do echo "got $line"; done; sleep 10000'], stdin: true}
`;

const LARGE_BYTES = 1_000_000;

describe.runIf(canRunContainers())("streams", async () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up();
    await cluster.packTools();
    await cluster.apply(PODS);
    await cluster.kubectl("wait --for=condition=Ready pod --all --timeout=60s");
  });
  afterAll(() => cluster?.delete());

  describe.each(await streamClients())("by $title", ({ path, env }) => {
    const command = (words: readonly string[]) => [path, ...words];
    const start = (words: readonly string[]) => cluster.start(command(words), { env });
    const tryIt = async (words: readonly string[], input?: StartOptions["input"]) => {
      const running = cluster.start(command(words), { env, input: input ?? "" });
      return running.finished;
    };

    test("exec gives the program's output, its errors and its exit code", async () => {
      const script = "echo out; echo err >&2; exit 7";
      expect(await tryIt(["exec", "box", "--", "sh", "-c", script])).toEqual({
        stdout: "out\n",
        stderr: "err\ncommand terminated with exit code 7\n",
        code: 7,
      });
    });

    test("exec -i passes the input on, and its end", async () => {
      const { stdout, code } = await tryIt(["exec", "-i", "box", "--", "wc", "-c"], "x".repeat(LARGE_BYTES));
      expect({ stdout, code }).toEqual({ stdout: `${LARGE_BYTES}\n`, code: 0 });
    });

    test("exec loses nothing of a large output", async () => {
      const { stdout, code } = await tryIt(["exec", "box", "--", "head", "-c", `${LARGE_BYTES}`, "/dev/zero"]);
      expect({ length: stdout.length, code }).toEqual({ length: LARGE_BYTES, code: 0 });
    });

    test("exec of a program that is not there says so", async () => {
      const { stderr, code } = await tryIt(["exec", "box", "--", "no-such-program"]);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/no-such-program.*not found/);
    });

    test("exec -it is a terminal: size, resize, Ctrl-C, exit code", async () => {
      const inner = [path, "exec", "-it", "box", "--", "sh"].join(" ");
      // `script` gives kubectl a terminal; its name is printed, so that it can be resized from here.
      const terminal = cluster.start(
        ["script", "-qefc", `echo "terminal $(tty)"; stty rows 31 cols 97; exec ${inner}`, "/dev/null"],
        { env },
      );
      const [, device] = await terminal.untilOutput(/terminal (\/dev\/\S+)\r?\n/);
      await terminal.untilOutput(/[#$] $/);
      terminal.write("stty size\n");
      await terminal.untilOutput(/31 97\r?\n/);
      // One number only: of two changes in a row a busy kubectl drops the second.
      await run(["stty", "-F", device as string, "rows", "40"]);
      // The new size arrives some time after; the shell asks until it has.
      terminal.write("until [ \"$(stty size)\" = '40 97' ]; do sleep 0.1; done; echo resized to $(stty size)\n");
      await terminal.untilOutput(/resized to 40 97\r?\n/);
      // It speaks once it is what the terminal interrupts.
      terminal.write("sh -c 'echo be\"\"gun; exec sleep 1000'\n");
      await terminal.untilOutput(/begun\r?\n/);
      terminal.write("\u0003");
      terminal.write("echo interrupted with $?\n");
      await terminal.untilOutput(/interrupted with 130\r?\n/);
      terminal.write("exit 5\n");
      expect((await terminal.finished).code).toBe(5);
    });

    test("attach reaches the running program's input and output", async () => {
      const attached = start(["attach", "-i", "echo"]);
      const word = randomBytes(4).toString("hex");
      attached.write(`${word}\n`);
      await attached.untilOutput(new RegExp(`got ${word}\n`));
      await attached.stop();
    });

    test("run -i --rm runs a program with this input, shows its output, and takes the pod away", async () => {
      const name = `once-${randomBytes(3).toString("hex")}`;
      const words = ["run", name, "-i", "--rm", "--restart=Never", "--image=tools:1", "--command", "--", "wc", "-c"];
      const { stdout } = await tryIt(words, "12345");
      expect(stdout).toMatch(/^5\n/);
      expect(stdout).toContain(`pod "${name}" deleted`);
      expect((await cluster.tryKubectl(["get", "pod", name])).code).toBe(1);
    });

    test("port-forward carries many connections, to a pod's port by number and by name", async () => {
      for (const target of ["8080", "http"]) {
        const forward = start(["port-forward", "pod/web", `:${target}`]);
        const [, port] = await forward.untilOutput(/Forwarding from 127\.0\.0\.1:(\d+) -> 8080/);
        const answers = await Promise.all(
          Array.from({ length: 10 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).json()),
        );
        expect(answers).toEqual(Array.from({ length: 10 }, () => ({ version: "7", pod: "web" })));
        await forward.stop();
      }
    });

    test("port-forward to a port where nobody listens refuses the connection and lives on", async () => {
      const forward = start(["port-forward", "pod/web", ":9999"]);
      const [, port] = await forward.untilOutput(/Forwarding from 127\.0\.0\.1:(\d+)/);
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
      await forward.stop();
      expect(forward.stderr()).toContain("9999");
    });

    test("cp copies files there and back unchanged", async () => {
      const sent = join(cluster.home, `sent-${randomBytes(3).toString("hex")}`);
      const received = `${sent}.back`;
      writeFileSync(sent, randomBytes(300_000));
      expect(await tryIt(["cp", sent, "box:/tmp/copied"])).toMatchObject({ code: 0, stderr: "" });
      expect(await tryIt(["cp", "box:/tmp/copied", received])).toMatchObject({ code: 0 });
      expect(readFileSync(received).equals(readFileSync(sent))).toBe(true);
    });

    test("run, get, label, describe, explain, apply and delete work as well", async () => {
      const name = `plain-${randomBytes(3).toString("hex")}`;
      const ok = async (words: readonly string[], input?: string) => {
        const { stdout, stderr, code } = await tryIt(words, input);
        expect({ stderr, code }).toMatchObject({ code: 0 });
        return stdout;
      };
      expect(await ok(["run", name, "--image=tools:1", "--", "-c", "exit 0"])).toBe(`pod/${name} created\n`);
      expect(await ok(["label", "pod", name, `colour=${name}`])).toBe(`pod/${name} labeled\n`);
      expect(await ok(["get", "pods", "-l", `colour=${name}`, "-o", "name"])).toBe(`pod/${name}\n`);
      expect(await ok(["get", "pod", name, "-o", "wide"])).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE /);
      expect(await ok(["describe", "pod", name])).toMatch(/Labels: +colour=plain-\w+\n +run=plain-/);
      expect(await ok(["explain", "pod.spec.containers.image"])).toMatch(/Container image name/);
      const manifest = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "old" } });
      expect(await ok(["apply", "-f", "-"], manifest)).toBe(`configmap/${name} created\n`);
      expect(await ok(["apply", "-f", "-"], manifest.replace("old", "new"))).toBe(`configmap/${name} configured\n`);
      expect(await ok(["delete", `pod/${name}`, `configmap/${name}`, "--now"])).toContain(
        `configmap "${name}" deleted`,
      );
    });

    test("logs -f follows until the container ends", async () => {
      const name = `talker-${randomBytes(3).toString("hex")}`;
      const script = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.2; done";
      await cluster.kubectl(["run", name, "--restart=Never", "--image=tools:1", "--", "-c", script]);
      await cluster
        .kubectl(["wait", "--for=jsonpath={.status.containerStatuses[0].started}=true", `pod/${name}`])
        .catch(() => undefined);
      const { stdout, code } = await tryIt(["logs", "-f", name]);
      const want = Array.from({ length: 8 }, (_, index) => `line ${index + 1}\n`).join("");
      expect({ stdout, code }).toEqual({ stdout: want, code: 0 });
    });
  });
});
