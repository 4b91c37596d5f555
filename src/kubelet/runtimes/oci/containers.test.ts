import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { seededRandom } from "../../../lib/random.ts";
import { silentLog } from "../../../lib/silentLog.ts";
import { canRun } from "../../../lib/testCapabilities.ts";
import { VirtualClock } from "../../../lib/virtualClock.ts";
import type { RuntimeEvent } from "../../runtime.ts";
import { Containers } from "./containers.ts";
import { bundleOf, type OciContext } from "./context.ts";
import { type ContainerRecord, writeRecord } from "./records.ts";
import type { Sandboxes } from "./sandboxes.ts";

/** One container of a process that is no more, and whose conmon never wrote how it ended. */
async function lostContainer() {
  const directory = mkdtempSync(join(tmpdir(), "skiff-containers-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const clock = new VirtualClock();
  const context = {
    env: { clock, random: seededRandom("lost"), log: silentLog },
    environment: { runDirectory: join(directory, "run"), dataDirectory: join(directory, "data") },
    cgroups: { killAll: async () => undefined, remove: async () => undefined, oomKills: () => 0 },
  } as unknown as OciContext;
  const told: RuntimeEvent[] = [];
  const containers = new Containers(context, {} as Sandboxes, (event) => told.push(event));
  const record = {
    id: "lost",
    config: { sandboxId: "pod", name: "main", attempt: 0 },
    createdAtMs: 0,
    cgroupPath: "/lost",
    stopSignal: "SIGTERM",
    isStarting: true,
    process: { pid: 1, startTicks: "none" },
    startedAtMs: 0,
  } as unknown as ContainerRecord;
  mkdirSync(bundleOf(context, "lost"));
  writeRecord(bundleOf(context, "lost"), record);
  await containers.adopt();
  return { clock, containers, told };
}

test("a container of which nobody knows how it ended counts as ended after a while, once", async () => {
  const { clock, containers, told } = await lostContainer();
  containers.check("lost");
  expect(containers.status("lost")?.state).toBe("Running");
  await clock.advance(5_000);
  expect(containers.status("lost")).toMatchObject({ state: "Exited", exitCode: 255, reason: "Unknown" });
  expect(told.map(({ type }) => type)).toEqual(["container-exited"]);
});

test.runIf(canRun({ root: true, programs: [] }))(
  "one that is removed while it is looked for is not missed",
  async () => {
    const { clock, containers } = await lostContainer();
    await clock.advance(1_000);
    containers.check("lost");
    const removed = containers.remove("lost");
    await clock.advance(1_000);
    await removed;
    // The second look would come now.
    await clock.advance(2_000);
    expect(containers.list()).toEqual([]);
  },
);
