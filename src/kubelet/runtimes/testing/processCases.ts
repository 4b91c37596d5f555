import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RuntimeError } from "../../runtime.ts";
import { containerConfig, exited, outputOf, readLog, runScript, sandboxConfig, script, startPod } from "./pod.ts";
import type { RuntimeCase } from "./runtimeCase.ts";

const MEBIBYTE = 1 << 20;

/** What a program in a container sees, and how its end is told. */
export const processCases: readonly RuntimeCase[] = [
  {
    name: "the exit code is the program's, and says how it went",
    for: "programs",
    async run(context) {
      const outcomes = await Promise.all([0, 1, 42].map((code) => runScript(context, `exit ${code}`)));
      assert.deepEqual(
        outcomes.map(({ status }) => [status.exitCode, status.reason]),
        [
          [0, "Completed"],
          [1, "Error"],
          [42, "Error"],
        ],
      );
    },
  },
  {
    name: "a program ended by a signal has the code 128 and the signal's number",
    for: "programs",
    async run(context) {
      const { status } = await runScript(context, "sh -c 'kill -USR1 $$'; exit $?");
      assert.equal(status.exitCode, 138);
    },
  },
  {
    name: "the log has a line per line, with time, stream and tag",
    for: "programs",
    async run(context) {
      const before = Date.now();
      await runScript(context, "echo one; echo two >&2; printf three");
      const lines = readLog(join(context.directory, "log"));
      const of = (stream: string) => lines.filter((line) => line.stream === stream).map(({ tag, text }) => [tag, text]);
      assert.deepEqual(
        of("stdout"),
        [
          ["F", "one"],
          ["P", "three"],
          ["F", ""],
        ].slice(0, of("stdout").length),
      );
      assert.deepEqual(of("stderr"), [["F", "two"]]);
      assert.match(lines[0]?.time ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)$/);
      assert.ok(Math.abs(Date.parse(lines[0]?.time ?? "") - before) < 30_000);
    },
  },
  {
    name: "a log that was renamed is begun anew",
    for: "programs",
    async run(context) {
      const log = join(context.directory, "log");
      const { containerId } = await startPod(
        context,
        script("echo one; while [ ! -e /go ]; do sleep 0.01; done; echo two"),
      );
      while (!readFileSync(log, "utf8").includes("one")) await new Promise((resolve) => setTimeout(resolve, 2));
      renameSync(log, `${log}.1`);
      await context.runtime.reopenLog(containerId);
      while (!existsSync(log)) await new Promise((resolve) => setTimeout(resolve, 2));
      await context.runtime.execSync(containerId, ["touch", "/go"], 5000);
      await exited(context.runtime, containerId);
      assert.deepEqual([outputOf(`${log}.1`), outputOf(log)], ["one\n", "two\n"]);
    },
  },
  {
    name: "command and arguments replace those of the image",
    for: "programs",
    async run(context) {
      const { output } = await runScript(context, "", { command: ["sh", "-c", 'echo "$0 $1"'], args: ["a", "b"] });
      assert.equal(output, "a b\n");
    },
  },
  {
    name: "variables, working directory and host name are as told",
    for: "programs",
    async run(context) {
      const changes = { env: [{ name: "GREETING", value: "hi = $there" }], workingDir: "/made/for/me" };
      const { output } = await runScript(context, 'echo "$GREETING"; pwd; hostname; echo "$HOSTNAME"', changes, {
        hostname: "box",
      });
      assert.equal(output, "hi = $there\n/made/for/me\nbox\nbox\n");
    },
  },
  {
    name: "the pod's name server and hosts are there",
    for: "programs",
    async run(context) {
      const { output } = await runScript(
        context,
        "cat /etc/resolv.conf; cat /etc/hosts; cat /etc/hostname",
        {},
        { hostname: "box" },
      );
      assert.match(output, /^search default\.svc\.cluster\.local\nnameserver 10\.96\.0\.10\noptions ndots:5\n/);
      assert.match(output, /\n[\d.]+\tbox\n/);
      assert.match(output, /\nbox\n$/);
    },
  },
  {
    name: "the user may be a number that the image does not know",
    for: "programs",
    async run(context) {
      const { security } = await containerConfig(context, "");
      const changes = { security: { ...security, runAsUser: 1234, runAsGroup: 55, supplementalGroups: [66] } };
      const { output, status } = await runScript(
        context,
        "id -u; id -g; id -G; touch /x 2>/dev/null || echo denied",
        changes,
      );
      assert.equal(output, "1234\n55\n55 66\ndenied\n");
      assert.deepEqual(status.user, { uid: 1234, gid: 55, supplementalGroups: [55, 66] });
    },
  },
  {
    name: "capabilities are the usual ones, less those dropped, with those added",
    for: "programs",
    async run(context) {
      const { security } = await containerConfig(context, "");
      const changes = (of: object) => ({ security: { ...security, ...of } });
      const read = "grep CapEff /proc/self/status";
      const usual = await runScript(context, read);
      assert.equal(usual.output, "CapEff:\t00000000a80425fb\n");
      const few = changes({ dropCapabilities: ["ALL"], addCapabilities: ["NET_BIND_SERVICE"] });
      assert.equal(
        (await runScript(context, read, { ...few, logPath: join(context.directory, "few") })).status.exitCode,
        0,
      );
      assert.equal(outputOf(join(context.directory, "few")), "CapEff:\t0000000000000400\n");
    },
  },
  {
    name: "a read-only root cannot be written, a mount can",
    for: "programs",
    async run(context) {
      const { security } = await containerConfig(context, "");
      const hostPath = join(context.directory, "volume");
      mkdirSync(hostPath);
      writeFileSync(join(hostPath, "given"), "given\n");
      const mounts = [
        { hostPath, containerPath: "/data", readOnly: false },
        { hostPath, containerPath: "/data/fixed", readOnly: true },
      ];
      mkdirSync(join(hostPath, "fixed"));
      const text =
        "cat /data/given; echo x >/data/made; touch /x 2>/dev/null || echo no; touch /data/fixed/x 2>/dev/null || echo no";
      const { output } = await runScript(context, text, {
        mounts,
        security: { ...security, readOnlyRootFilesystem: true },
      });
      assert.equal(output, "given\nno\nno\n");
      assert.equal(readFileSync(join(hostPath, "made"), "utf8"), "x\n");
    },
  },
  {
    name: "what a container writes into its root is its own and ends with it",
    for: "programs",
    async run(context) {
      await runScript(context, "echo mine >/mark");
      const { status } = await runScript(context, "test ! -e /mark");
      assert.equal(status.exitCode, 0);
    },
  },
  {
    name: "containers of a pod share network, host name and memory, but not processes",
    for: "programs",
    async run(context) {
      const { runtime } = context;
      const { sandboxId, containerId } = await startPod(context);
      const other = await runtime.createContainer(await containerConfig(context, sandboxId, { name: "other" }));
      await runtime.startContainer(other);
      const look = async (id: string) => {
        const command = ["sh", "-c", "for n in net uts ipc pid; do readlink /proc/self/ns/$n; done"];
        return Buffer.from((await runtime.execSync(id, command, 5000)).stdout)
          .toString()
          .split("\n");
      };
      const [one, two] = [await look(containerId), await look(other)];
      assert.deepEqual(one.slice(0, 3), two.slice(0, 3));
      assert.notEqual(one[3], two[3]);
      await runtime.execSync(containerId, ["sh", "-c", "echo shared >/dev/shm/x"], 5000);
      assert.equal(
        Buffer.from((await runtime.execSync(other, ["cat", "/dev/shm/x"], 5000)).stdout).toString(),
        "shared\n",
      );
    },
  },
  {
    name: "with a shared process namespace each container sees the other's processes",
    for: "programs",
    async run(context) {
      const { runtime } = context;
      const { sandboxId } = await startPod(context, {}, { shareProcessNamespace: true });
      const config = await containerConfig(context, sandboxId, {
        name: "other",
        ...script("ps | grep -c 'sleep 1000'; exit 3"),
      });
      const id = await runtime.createContainer({ ...config, logPath: join(context.directory, "other") });
      await runtime.startContainer(id);
      assert.equal((await exited(runtime, id)).exitCode, 3);
      assert.ok(Number(outputOf(join(context.directory, "other"))) >= 2);
    },
  },
  {
    name: "with host network the container is in the node's network and has its name",
    for: "programs",
    async run(context) {
      const own = readFileSync("/proc/sys/kernel/hostname", "utf8");
      const { output, sandboxId } = await runScript(
        context,
        "hostname; readlink /proc/self/ns/net",
        {},
        { hostNetwork: true },
      );
      const namespace = readlinkSync("/proc/self/ns/net");
      assert.equal(output, `${own}${namespace}\n`);
      assert.deepEqual((await context.runtime.listSandboxes()).find(({ id }) => id === sandboxId)?.ips, []);
    },
  },
  {
    name: "sysctls of the pod are set",
    for: "programs",
    async run(context) {
      const sysctls = { "net.ipv4.tcp_keepalive_time": "123", "kernel.msgmax": "9000" };
      const text = "cat /proc/sys/net/ipv4/tcp_keepalive_time /proc/sys/kernel/msgmax";
      assert.equal((await runScript(context, text, {}, { sysctls })).output, "123\n9000\n");
    },
  },
  {
    name: "a container over its memory limit is killed, and said to be",
    for: "programs",
    async run(context) {
      const resources = { memoryLimitBytes: 24 * MEBIBYTE };
      const { status } = await runScript(context, "exec tail /dev/zero", { resources });
      assert.deepEqual([status.exitCode, status.reason], [137, "OOMKilled"]);
    },
  },
  {
    name: "a container that is killed otherwise is not said to be out of memory",
    for: "programs",
    async run(context) {
      const { containerId } = await startPod(context, {
        ...script("sleep 1000"),
        resources: { memoryLimitBytes: 64 * MEBIBYTE },
      });
      await context.runtime.stopContainer(containerId, 0);
      const { exitCode, reason } = await exited(context.runtime, containerId);
      assert.deepEqual([exitCode, reason], [137, "Error"]);
    },
  },
  {
    name: "a container cannot have more processes than it may",
    for: "programs",
    async run(context) {
      const text = "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done 2>/dev/null; exit 0";
      const { status } = await runScript(context, text, { resources: { pidsMax: 4 } });
      assert.notEqual(status.exitCode, 0);
    },
  },
  {
    name: "limits can be changed while it runs",
    for: "programs",
    async run(context) {
      const { runtime } = context;
      const { containerId } = await startPod(context, { resources: { pidsMax: 100 } });
      await runtime.updateResources(containerId, { pidsMax: 3 });
      const crowd = await runtime
        .execSync(containerId, ["sh", "-c", "sleep 1 & sleep 1 & sleep 1 & sleep 1 & true"], 5000)
        .catch((error) => error);
      assert.notEqual(crowd.exitCode, 0);
    },
  },
  {
    name: "a program that asks to end is given its time, and no more",
    for: "programs",
    async run(context) {
      const polite = await startPod(context, script("trap 'exit 9' TERM; touch /listens; sleep 1000 & wait"));
      const deaf = await startPod(context, script("trap '' TERM; touch /listens; while :; do sleep 1000; done"));
      // Before that a signal finds the OCI runtime's own process, or a shell without a trap.
      const listens = ["sh", "-c", "until [ -e /listens ]; do sleep 0.01; done"];
      for (const { containerId } of [polite, deaf]) await context.runtime.execSync(containerId, listens, 5_000);
      const startMs = Date.now();
      await context.runtime.stopContainer(polite.containerId, 30_000);
      assert.ok(Date.now() - startMs < 5_000);
      const { exitCode, reason, message } = await exited(context.runtime, polite.containerId);
      assert.equal(exitCode, 9, `${exitCode} ${reason}: ${message}`);
      await context.runtime.stopContainer(deaf.containerId, 150);
      assert.equal((await exited(context.runtime, deaf.containerId)).exitCode, 137);
    },
  },
  {
    name: "a program that does not exist fails at the start with the runtime's words, and the container says so",
    for: "programs",
    async run(context) {
      const { runtime } = context;
      const { id: sandboxId } = await runtime.runSandbox(sandboxConfig());
      const id = await runtime.createContainer(
        await containerConfig(context, sandboxId, { command: ["no-such-program"] }),
      );
      const failure = await runtime.startContainer(id).catch((error: unknown) => error);
      assert.ok(failure instanceof RuntimeError);
      assert.equal(failure.reason, "RunContainerError");
      assert.match(failure.message, /no-such-program.*not found in \$PATH/);
      const status = await runtime.containerStatus(id);
      assert.deepEqual([status?.state, status?.exitCode, status?.reason], ["Exited", 128, "StartError"]);
      assert.equal(status?.message, failure.message);
      await runtime.removeContainer(id);
    },
  },
  {
    name: "a restarted process finds its containers, and the ends that it missed with their codes and times",
    for: "programs",
    async run(context) {
      const { containerId: long } = await startPod(context, { stdin: true });
      const short = await startPod(context, {
        ...script("sleep 0.3; exit 7"),
        logPath: join(context.directory, "short"),
      });
      const before = await context.runtime.containerStatus(long);
      const sandboxes = await context.runtime.listSandboxes();
      await context.runtime.close();
      await new Promise((resolve) => setTimeout(resolve, 800));
      const reopenedAtMs = Date.now();
      const runtime = await context.reopen();
      assert.deepEqual(await runtime.containerStatus(long), before);
      assert.deepEqual(await runtime.listSandboxes(), sandboxes);
      const missed = await runtime.containerStatus(short.containerId);
      assert.deepEqual([missed?.state, missed?.exitCode], ["Exited", 7]);
      assert.ok((missed?.finishedAtMs ?? Number.POSITIVE_INFINITY) < reopenedAtMs - 200);
      assert.equal((await runtime.execSync(long, ["true"], 5000)).exitCode, 0);
      await runtime.stopContainer(long, 30_000);
      assert.equal((await exited(runtime, long)).exitCode, 0);
    },
  },
];
