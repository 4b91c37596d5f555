import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { pushIterable } from "../../../lib/pushIterable.ts";
import { type ExecRequest, RuntimeError } from "../../runtime.ts";
import { exited, script, startPod } from "./pod.ts";
import type { RuntimeCase, SuiteContext } from "./runtimeCase.ts";

/** A client that writes and listens. */
function client() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const heard = { stdout: "", stderr: "" };
  stdout.on("data", (data) => {
    heard.stdout += data;
  });
  stderr.on("data", (data) => {
    heard.stderr += data;
  });
  const hears = async (pattern: RegExp) => {
    const startMs = Date.now();
    while (!pattern.test(heard.stdout)) {
      assert.ok(Date.now() - startMs < 10_000, `did not hear ${pattern} in ${JSON.stringify(heard.stdout)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return { stdin, stdout, stderr, heard, hears };
}

async function exec(context: SuiteContext, text: string, request: Partial<ExecRequest> = {}) {
  const { containerId } = await startPod(context);
  const { stdout, stderr, heard } = client();
  const command = ["sh", "-c", text];
  const exitCode = await context.runtime.exec({ containerId, command, tty: false, stdout, stderr, ...request });
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode, ...heard };
}

/** Programs run inside containers, and the containers' own streams. */
export const streamCases: readonly RuntimeCase[] = [
  {
    name: "exec gives output, errors and the exit code apart",
    for: "programs",
    async run(context) {
      const result = await exec(context, "echo out; echo err >&2; exit 5");
      assert.deepEqual(result, { exitCode: 5, stdout: "out\n", stderr: "err\n" });
    },
  },
  {
    name: "exec sees the container's variables and files",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context, { env: [{ name: "A", value: "b" }], workingDir: "/tmp" });
      const { stdout } = await context.runtime.execSync(containerId, ["sh", "-c", "echo $A; pwd"], 5000);
      assert.equal(Buffer.from(stdout).toString(), "b\n/tmp\n");
    },
  },
  {
    name: "the end of exec's input is the end of the program's",
    for: "programs",
    async run(context) {
      const stdin = new PassThrough();
      stdin.write("one\n");
      setTimeout(() => stdin.end("two\n"), 50);
      const { stdout, exitCode } = await exec(context, "cat; echo done", { stdin });
      assert.deepEqual([stdout, exitCode], ["one\ntwo\ndone\n", 0]);
    },
  },
  {
    name: "exec ends when its program does, though the client says no more",
    for: "programs",
    async run(context) {
      const { exitCode } = await exec(context, "exit 3", { stdin: new PassThrough() });
      assert.equal(exitCode, 3);
    },
  },
  {
    name: "all of a large output arrives, through a slow reader",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context);
      const stdout = new PassThrough({ highWaterMark: 1024 });
      const command = ["sh", "-c", "dd if=/dev/zero bs=1024 count=3000 2>/dev/null"];
      const done = context.runtime.exec({ containerId, command, tty: false, stdout });
      let received = 0;
      const reading = (async () => {
        for await (const data of stdout) received += data.length;
      })();
      assert.equal(await done, 0);
      stdout.end();
      await reading;
      assert.equal(received, 3000 * 1024);
    },
  },
  {
    name: "exec of a missing program fails with the runtime's words, on a terminal too",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context);
      for (const tty of [false, true]) {
        const { stdout, stderr, heard } = client();
        const request = { containerId, command: ["no-such"], tty, stdout, ...(tty ? {} : { stderr }) };
        const failure = await context.runtime.exec(request).catch((error: unknown) => error);
        assert.ok(failure instanceof RuntimeError);
        assert.match(failure.message, /no-such.*not found in \$PATH/);
        assert.equal(heard.stderr, "");
      }
    },
  },
  {
    name: "exec in a container that has ended fails",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context);
      await context.runtime.stopContainer(containerId, 0);
      await assert.rejects(context.runtime.exec({ containerId, command: ["true"], tty: false }), RuntimeError);
      await assert.rejects(context.runtime.attach({ containerId, tty: false }), RuntimeError);
    },
  },
  {
    name: "a client that goes ends the program that it ran",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context);
      const gone = new AbortController();
      const command = ["sh", "-c", "echo here; exec sleep 77"];
      const { stdout, hears } = client();
      const done = context.runtime.exec({ containerId, command, tty: false, stdout, signal: gone.signal });
      await hears(/here/);
      gone.abort();
      assert.equal(await done, 137);
      const { stdout: processes } = await context.runtime.execSync(containerId, ["ps"], 5000);
      assert.doesNotMatch(Buffer.from(processes).toString(), /sleep 77/);
    },
  },
  {
    name: "execSync is bounded in output and in time",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context);
      const much = await context.runtime.execSync(
        containerId,
        ["sh", "-c", "dd if=/dev/zero bs=1024 count=100; exit 2"],
        5000,
      );
      assert.deepEqual([much.exitCode, much.stdout.length], [2, 16 * 1024]);
      const startMs = Date.now();
      await assert.rejects(context.runtime.execSync(containerId, ["sleep", "60"], 200), /timed out/);
      assert.ok(Date.now() - startMs < 5_000);
    },
  },
  {
    name: "a terminal has a size that follows the client's, answers, and passes signals on",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context);
      const { stdin, stdout, hears } = client();
      const resizes = pushIterable<{ columns: number; rows: number }>();
      resizes.push({ columns: 100, rows: 30 });
      const text = "trap 'echo broken; exit 6' INT; echo ready; while read line; do echo got $line; stty size; done";
      const command = ["sh", "-c", text];
      const done = context.runtime.exec({ containerId, command, tty: true, stdin, stdout, resizes });
      const ask = async (word: string, answer: RegExp) => {
        // A new size reaches the terminal a moment after it was told.
        await new Promise((resolve) => setTimeout(resolve, 50));
        stdin.write(`${word}\n`);
        await hears(answer);
      };
      await hears(/ready/);
      await ask("one", /got one\s+30 100/);
      resizes.push({ columns: 80, rows: 24 });
      await ask("two", /got two\s+24 80/);
      stdin.write("\x03");
      await hears(/broken/);
      assert.equal(await done, 6);
      resizes.end();
    },
  },
  {
    name: "short terminal sessions lose no output",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context);
      for (let round = 0; round < 20; round++) {
        const { stdout, heard } = client();
        const code = await context.runtime.exec({
          containerId,
          command: ["echo", `round ${round}`],
          tty: true,
          stdout,
        });
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual([code, heard.stdout], [0, `round ${round}\r\n`]);
      }
    },
  },
  {
    name: "attach joins the container's own streams, and its end is the container's",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context, {
        ...script("cat; echo bye >&2; exit 4"),
        stdin: true,
        stdinOnce: true,
      });
      const { stdin, stdout, stderr, heard, hears } = client();
      const attached = context.runtime.attach({ containerId, tty: false, stdin, stdout, stderr });
      stdin.write("hello\n");
      await hears(/hello/);
      stdin.end();
      await attached;
      assert.deepEqual([(await exited(context.runtime, containerId)).exitCode, heard.stderr], [4, "bye\n"]);
    },
  },
  {
    name: "a container's terminal is attached to, again and again, with sizes",
    for: "programs",
    async run(context) {
      const text = 'while read line; do echo "got $line"; stty size; [ "$line" = end ] && exit 0; done';
      const { containerId } = await startPod(context, { ...script(text), stdin: true, tty: true });
      for (const [columns, rows] of [
        [90, 20],
        [70, 10],
      ] as const) {
        const { stdin, stdout, hears } = client();
        const gone = new AbortController();
        const resizes = pushIterable<{ columns: number; rows: number }>();
        resizes.push({ columns, rows });
        const attached = context.runtime.attach({
          containerId,
          tty: true,
          stdin,
          stdout,
          resizes,
          signal: gone.signal,
        });
        await new Promise((resolve) => setTimeout(resolve, 50));
        stdin.write("line\n");
        await hears(new RegExp(`got line\\s+${rows} ${columns}`));
        gone.abort();
        await attached;
        resizes.end();
      }
      const { stdin, stdout } = client();
      const attached = context.runtime.attach({ containerId, tty: true, stdin, stdout });
      stdin.write("end\n");
      await attached;
      assert.equal((await exited(context.runtime, containerId)).exitCode, 0);
    },
  },
  {
    name: "a port of the pod can be reached, both ways, and a closed one refuses",
    for: "programs",
    async run(context) {
      const { sandboxId } = await startPod(context, script("nc -l -p 8080 -e cat & sleep 1000"));
      const dial = async () => {
        for (let attempt = 0; ; attempt++) {
          try {
            return await context.runtime.dial(sandboxId, 8080);
          } catch (error) {
            if (attempt > 200) throw error;
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        }
      };
      const connection = await dial();
      let heard = "";
      connection.on("data", (data) => {
        heard += data;
      });
      connection.end("ping");
      await new Promise((resolve) => connection.once("end", resolve));
      assert.equal(heard, "ping");
      await assert.rejects(context.runtime.dial(sandboxId, 8081), /ECONNREFUSED/);
    },
  },
];
