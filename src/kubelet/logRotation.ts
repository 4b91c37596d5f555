/** Keeps container logs small. Source: kubelet logs/container_log_manager.go. */
import type { KubeletContext } from "./context.ts";
import type { ContainerStatus } from "./runtime.ts";

/** Source: kubelet config ContainerLogMaxSize, ContainerLogMaxFiles, ContainerLogMonitorInterval. */
export const LOG_BYTES_MAX = 10 * 2 ** 20;
export const LOG_FILES_MAX = 5;
export const LOG_CHECK_MS = 10_000;
/** Not sooner: the names of what is put aside are in seconds. */
const LOG_CHECK_MIN_MS = 2_000;

/** "20260101-000000": sorts by time. */
function suffix(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll("-", "").replaceAll(":", "").replace("T", "-");
}

async function rotate({ files, runtime, env }: KubeletContext, { id, logPath }: ContainerStatus): Promise<void> {
  const slash = logPath.lastIndexOf("/");
  const [folder, name] = [logPath.slice(0, slash), logPath.slice(slash + 1)];
  await files.rename(logPath, `${logPath}.${suffix(env.clock.now())}`);
  try {
    await runtime.reopenLog(id);
  } catch (error) {
    env.log.warn("a container's log could not be opened anew", { container: id, error });
    return;
  }
  const rotated = (await files.list(folder)).filter((file) => file.startsWith(`${name}.`));
  // The one being written to is one of them.
  const old = rotated.slice(0, Math.max(0, rotated.length - (LOG_FILES_MAX - 1)));
  await Promise.all(old.map((file) => files.remove(`${folder}/${file}`)));
}

/**
 * One look at all running containers, `sinceMs` after the last. Upstream's next look comes after ten seconds whatever is
 * written, so that its files grow as large as ten seconds make them; ours comes when the fastest log will be full.
 * @returns ms until then
 */
export async function rotateLogs(context: KubeletContext, sinceMs: number = LOG_CHECK_MS): Promise<number> {
  let nextMs = LOG_CHECK_MS;
  for (const { containers } of context.cache.pods()) {
    for (const container of containers) {
      if (container.state !== "Running") continue;
      const size = (await context.files.stat(container.logPath))?.sizeBytes ?? 0;
      if (size <= LOG_BYTES_MAX) continue;
      await rotate(context, container);
      nextMs = Math.min(nextMs, Math.max(LOG_CHECK_MIN_MS, (sinceMs * LOG_BYTES_MAX) / size));
    }
  }
  return nextMs;
}
