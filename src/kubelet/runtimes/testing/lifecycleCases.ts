import assert from "node:assert/strict";
import { RuntimeError, type RuntimeEvent } from "../../runtime.ts";
import { containerConfig, exited, sandboxConfig, startPod } from "./pod.ts";
import type { RuntimeCase } from "./runtimeCase.ts";

/** A program that has only just been started may not have set its trap yet: the first process is then deaf to SIGTERM. */
const STOP_WITHIN_MS = 300;
const UNKNOWN = "0".repeat(64);

/** Sandboxes and containers come, are told of, and go. */
export const lifecycleCases: readonly RuntimeCase[] = [
  {
    name: "a sandbox is ready, has an address, and is listed with what it was given",
    for: "every",
    async run({ runtime }) {
      const config = sandboxConfig();
      const status = await runtime.runSandbox(config);
      assert.deepEqual([status.state, status.pod, status.attempt], ["Ready", config.pod, 0]);
      assert.deepEqual(status.labels, config.labels);
      assert.equal(status.ips.length, 1);
      assert.deepEqual(await runtime.listSandboxes(), [status]);
    },
  },
  {
    name: "a stopped sandbox is not ready and a removed one is gone; both can be repeated",
    for: "every",
    async run({ runtime }) {
      const { id } = await runtime.runSandbox(sandboxConfig());
      for (let time = 0; time < 2; time++) await runtime.stopSandbox(id);
      assert.deepEqual(
        (await runtime.listSandboxes()).map(({ state }) => state),
        ["NotReady"],
      );
      for (let time = 0; time < 2; time++) await runtime.removeSandbox(id);
      assert.deepEqual(await runtime.listSandboxes(), []);
    },
  },
  {
    name: "a container is created, runs, is stopped and removed",
    for: "every",
    async run(context) {
      const { runtime } = context;
      const { id: sandboxId } = await runtime.runSandbox(sandboxConfig());
      const config = await containerConfig(context, sandboxId);
      const id = await runtime.createContainer(config);
      const created = await runtime.containerStatus(id);
      assert.deepEqual(
        [created?.state, created?.labels, created?.annotations],
        ["Created", config.labels, config.annotations],
      );
      await runtime.startContainer(id);
      const running = await runtime.containerStatus(id);
      assert.deepEqual(
        [running?.state, running?.imageId, running?.logPath],
        ["Running", config.imageId, config.logPath],
      );
      assert.ok((running?.startedAtMs ?? 0) >= (running?.createdAtMs ?? Number.NaN));
      await runtime.stopContainer(id, STOP_WITHIN_MS);
      const ended = await runtime.containerStatus(id);
      assert.equal(ended?.state, "Exited");
      assert.ok((ended?.finishedAtMs ?? 0) >= (running?.startedAtMs ?? Number.NaN));
      await runtime.removeContainer(id);
      assert.equal(await runtime.containerStatus(id), undefined);
      assert.deepEqual(await runtime.listContainers(), []);
    },
  },
  {
    name: "start and end of a container are told to who subscribed, once each",
    for: "every",
    async run(context) {
      const { runtime } = context;
      const events: RuntimeEvent[] = [];
      const stop = runtime.subscribe((event) => events.push(event));
      const { sandboxId, containerId } = await startPod(context);
      await runtime.stopContainer(containerId, STOP_WITHIN_MS);
      stop();
      await startPod(context);
      const told = (type: RuntimeEvent["type"]) => ({ type, containerId, sandboxId });
      assert.deepEqual(events, [told("container-started"), told("container-exited")]);
    },
  },
  {
    name: "every attempt is a container of its own, with an id that was never used",
    for: "every",
    async run(context) {
      const { runtime } = context;
      const { id: sandboxId } = await runtime.runSandbox(sandboxConfig());
      const ids = new Set<string>();
      for (let attempt = 0; attempt < 3; attempt++) {
        const id = await runtime.createContainer(await containerConfig(context, sandboxId, { attempt }));
        assert.equal((await runtime.containerStatus(id))?.attempt, attempt);
        ids.add(id);
        if (attempt === 0) await runtime.removeContainer(id);
      }
      assert.equal(ids.size, 3);
    },
  },
  {
    name: "stopping and removing what is gone succeed",
    for: "every",
    async run({ runtime }) {
      await runtime.stopContainer(UNKNOWN, 1000);
      await runtime.removeContainer(UNKNOWN);
      await runtime.stopSandbox(UNKNOWN);
      await runtime.removeSandbox(UNKNOWN);
    },
  },
  {
    name: "starting what does not exist fails",
    for: "every",
    async run({ runtime }) {
      await assert.rejects(runtime.startContainer(UNKNOWN), RuntimeError);
    },
  },
  {
    name: "a container of a sandbox that does not exist fails, and leaves nothing",
    for: "every",
    async run(context) {
      await assert.rejects(context.runtime.createContainer(await containerConfig(context, UNKNOWN)), RuntimeError);
      assert.deepEqual(await context.runtime.listContainers(), []);
    },
  },
  {
    name: "stopping a container that has not been started leaves it removable",
    for: "every",
    async run(context) {
      const { runtime } = context;
      const { id: sandboxId } = await runtime.runSandbox(sandboxConfig());
      const id = await runtime.createContainer(await containerConfig(context, sandboxId));
      await runtime.stopContainer(id, 1000);
      await runtime.removeContainer(id);
      assert.deepEqual(await runtime.listContainers(), []);
    },
  },
  {
    name: "stopping a sandbox ends its containers",
    for: "every",
    async run(context) {
      const { sandboxId, containerId } = await startPod(context);
      await context.runtime.stopSandbox(sandboxId);
      assert.equal((await exited(context.runtime, containerId)).state, "Exited");
    },
  },
  {
    name: "removing a sandbox removes its containers",
    for: "every",
    async run(context) {
      const { sandboxId } = await startPod(context);
      await context.runtime.removeSandbox(sandboxId);
      assert.deepEqual([await context.runtime.listContainers(), await context.runtime.listSandboxes()], [[], []]);
    },
  },
  {
    name: "running containers have usage, others none",
    for: "every",
    async run(context) {
      const { runtime } = context;
      const { sandboxId, containerId } = await startPod(context);
      const [stats] = await runtime.stats();
      assert.deepEqual([stats?.containerId, stats?.sandboxId, stats?.name], [containerId, sandboxId, "main"]);
      assert.ok((stats?.memoryUsageBytes ?? 0) >= (stats?.memoryWorkingSetBytes ?? Number.NaN));
      assert.ok((stats?.cpuUsageNs ?? -1) >= 0);
      await runtime.stopContainer(containerId, STOP_WITHIN_MS);
      assert.deepEqual(await runtime.stats(), []);
    },
  },
  {
    name: "images are known by every spelling of their name and by id",
    for: "programs",
    async run({ runtime, image }) {
      const status = await runtime.images.status(image);
      assert.ok(status !== undefined);
      assert.equal((await runtime.images.status(status.id))?.id, status.id);
      assert.ok((await runtime.images.list()).some(({ id }) => id === status.id));
      assert.equal(await runtime.images.status("not-here:1"), undefined);
    },
  },
];
