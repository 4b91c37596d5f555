/** Ends pods whose emptyDir has outgrown its sizeLimit. Source: kubelet eviction/eviction_manager.go emptyDirLimitEviction. */
import { quantityValue } from "../machinery/quantity.ts";
import { type KubeletContext, podFolders } from "./context.ts";
import { REASONS } from "./events.ts";
import type { PodWorker } from "./podWorker.ts";
import type { PodWorkers } from "./podWorkers.ts";
import { emptyDir } from "./volumes/emptyDir.ts";

/** Source: eviction manager's monitoring interval, kubelet.go evictionMonitoringPeriod. */
export const EMPTY_DIR_CHECK_MS = 10_000;
/** Source: eviction_manager.go, the grace of an immediate eviction. */
const GRACE_MS = 1000;

async function overfull(context: KubeletContext, { state: { pod }, uid }: PodWorker): Promise<string | undefined> {
  for (const { name, emptyDir: source } of pod.spec.volumes ?? []) {
    if (source?.sizeLimit === undefined || source.medium === "Memory") continue;
    const path = `${podFolders(context, uid).disk}/volumes/${emptyDir.pluginName}/${name}`;
    if ((await context.files.usedBytes(path)) <= quantityValue(source.sizeLimit)) continue;
    return `Usage of EmptyDir volume "${name}" exceeds the limit "${source.sizeLimit}". `;
  }
  return undefined;
}

/** One look at all pods. A tmpfs needs none: it is no larger than its limit. */
export async function checkEmptyDirLimits(context: KubeletContext, workers: PodWorkers): Promise<void> {
  for (const worker of workers.list()) {
    if (worker.phase !== "Syncing") continue;
    const message = await overfull(context, worker);
    if (message === undefined) continue;
    context.recorder.event({ ...worker.state.pod, apiVersion: "v1", kind: "Pod" }, "Warning", REASONS.evicted, message);
    worker.fail("Evicted", message, GRACE_MS);
  }
}
